"""Seals on PDFs: a signature in the PDF itself (PAdES baseline B-B, ETSI EN 319 142-1), with an RFC 3161 time stamp
where an authority is set.

What it means: the file is the one that this installation made, unchanged; any reader of PDFs shows it. What it does
not mean: the certificate made at installation is issued by the installation to itself, so that a reader calls its
identity unknown until somebody trusts it; and no seal of ours is an advanced electronic signature of Decreto 47-2008,
unless the institution brings a certificate that is (`seal_pkcs12`). The documents say so at their foot. The proof
against the owner of the installation is the record, not the seal. The time of signing is the machine's own, as the
library reads it.

pyHanko is imported where it is used: loading it takes longer than most commands do, and most commands seal nothing.
"""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko.sign.timestamps import TimeStamper

YEARS = 10
FIELD = "Sello"
REASON = (
    "Sello de integridad de la instalación: el archivo no cambió desde que se emitió. No es la firma de una persona ni "
    "una firma electrónica avanzada del Decreto 47-2008, salvo que el certificado lo sea."
)
TIMEOUT_S = 10
_log = structlog.get_logger()


class SealWrong(Exception):
    """The key or the certificate of the seal cannot be used; the message says why."""


def make_material(*, name: str, institution: str, at: datetime) -> bytes:
    """A key (P-256) and its self-issued certificate, as PKCS #12 without a password: for seals and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GT"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, institution[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Sello de {name}"[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=5))  # for readers whose clock is a little slow
        .not_valid_after(at + timedelta(days=365 * YEARS))
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(b"seal", key, certificate, None, NoEncryption())


def certificate_of(material: bytes, password: str = "") -> x509.Certificate:
    """The certificate of the seal, to be published. Raises `SealWrong` where key or certificate cannot be used."""
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(material, password.encode() or None)
    except ValueError:
        raise SealWrong("the seal's PKCS #12 file cannot be read: damaged, or another password") from None
    if key is None or certificate is None:
        raise SealWrong("the seal's PKCS #12 file holds no key with its certificate")
    return certificate


class Seal:
    """Seals PDFs; one for each process. `authority` is the address of a time-stamp authority, or nothing."""

    def __init__(
        self,
        material: bytes,
        *,
        password: str = "",
        authority: str = "",
        stamper: "Callable[[str], TimeStamper] | None" = None,
    ) -> None:
        """`material` is PKCS #12; `stamper` makes the client of the authority, else it is asked over HTTP.

        Raises `SealWrong`.
        """
        certificate_of(material, password)
        self._material = material
        self._password = password
        self._authority = authority
        self._stamper = stamper or _over_http

    def __call__(self, pdf: bytes) -> bytes:
        """The document with the seal on it. Without an answer of the authority the seal bears no foreign time."""
        from pyhanko.sign.timestamps import TimestampRequestError  # noqa: PLC0415 -- see the module

        if not self._authority:
            return self._sealed(pdf, None)
        try:
            return self._sealed(pdf, self._stamper(self._authority))
        except (TimestampRequestError, OSError) as failed:
            _log.warning("no_time_stamp", authority=self._authority, why=str(failed)[:300])
            return self._sealed(pdf, None)

    def _sealed(self, pdf: bytes, stamper: "TimeStamper | None") -> bytes:
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415 -- see the module
        from pyhanko.sign import fields, signers  # noqa: PLC0415 -- see the module

        meta = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            reason=REASON,
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        )
        sealed = signers.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer=self._signer, timestamper=stamper
        )
        return bytes(sealed.getbuffer())

    @cached_property
    def _signer(self) -> "SimpleSigner":
        from pyhanko.sign.signers import SimpleSigner  # noqa: PLC0415 -- see the module

        signer: SimpleSigner | None = SimpleSigner.load_pkcs12_data(
            self._material, other_certs=[], passphrase=self._password.encode() or None
        )
        if signer is None:
            raise SealWrong("the seal's PKCS #12 file cannot be used to sign")
        return signer


def _over_http(address: str) -> "TimeStamper":
    from pyhanko.sign.timestamps import HTTPTimeStamper  # noqa: PLC0415 -- see the module

    return HTTPTimeStamper(address, timeout=TIMEOUT_S)
