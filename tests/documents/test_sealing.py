"""Seals: read back with pyHanko's own validator; nothing goes out, and a changed byte breaks them."""

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import SecretStr
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import DummyTimeStamper, TimestampRequestError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from accessctl.bootstrap.keys import KeysWrong
from accessctl.bootstrap.seals import SEAL, make_seal, seal_of
from accessctl.documents.notice import render_notice
from accessctl.documents.register import render_register
from accessctl.documents.sealing import FIELD, REASON, Seal, SealWrong, certificate_of, make_material
from accessctl.services.paper_facts import unsealed
from accessctl.settings import Settings
from tests.documents.samples import notice, read, register, register_line

NOW = datetime.now(UTC)
PLAIN = render_notice(notice())
MATERIAL = make_material(name="igss.example/record", institution="Subgerencia de Tecnología", at=NOW)


def checked(pdf: bytes, trusted: list[x509.Certificate]) -> PdfSignatureStatus:
    roots = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in trusted]
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    return validate_pdf_signature(signature, context, ts_validation_context=context)


def test_a_seal_is_pades_and_holds() -> None:
    sealed = Seal(MATERIAL)(PLAIN)
    assert sealed.startswith(PLAIN), "the document itself is as it was drawn"
    (signature,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    assert signature.field_name == FIELD
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert str(signature.sig_object["/Reason"]) == REASON
    assert "Decreto 47-2008" in REASON
    status = checked(sealed, [certificate_of(MATERIAL)])
    assert status.intact
    assert status.valid
    assert status.trusted
    assert status.bottom_line
    stranger = make_material(name="x", institution="y", at=NOW)
    assert not checked(sealed, [certificate_of(stranger)]).trusted


def test_a_seal_holds_on_many_folios() -> None:
    day = render_register(register(tuple(map(register_line, range(200)))))
    sealed = Seal(MATERIAL)(day)
    assert sealed.startswith(day)
    assert checked(sealed, [certificate_of(MATERIAL)]).bottom_line
    assert [page.extract_text() for page in read(sealed)] == [page.extract_text() for page in read(day)]


def test_a_changed_byte_breaks_it() -> None:
    sealed = Seal(MATERIAL)(PLAIN)
    at = sealed.index(b"/Title") + 9
    spoilt = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    assert not checked(spoilt, [certificate_of(MATERIAL)]).intact


def test_the_certificate_is_for_seals_alone() -> None:
    certificate = certificate_of(MATERIAL)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)
    assert certificate.subject == certificate.issuer
    assert certificate.not_valid_after_utc - NOW > timedelta(days=3600)
    assert "secret" not in repr(Seal(MATERIAL))


def _authority() -> tuple[asn1_x509.Certificate, asn1_keys.PrivateKeyInfo, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TSA")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = asn1_x509.Certificate.load(made.public_bytes(Encoding.DER))
    return certificate, asn1_keys.PrivateKeyInfo.load(der), made


def test_a_time_stamp_where_an_authority_is_set() -> None:
    certificate, key, made = _authority()
    asked: list[str] = []

    def stamper(address: str) -> DummyTimeStamper:
        asked.append(address)
        return DummyTimeStamper(certificate, key)

    sealed = Seal(MATERIAL, authority="https://tsa.example/", stamper=stamper)(PLAIN)
    status = checked(sealed, [certificate_of(MATERIAL), made])
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.valid
    assert asked == ["https://tsa.example/"]


def test_without_an_answer_the_seal_stands_alone() -> None:
    def away(address: str) -> DummyTimeStamper:
        raise TimestampRequestError("no answer")

    sealed = Seal(MATERIAL, authority="https://tsa.example/", stamper=away)(PLAIN)
    status = checked(sealed, [certificate_of(MATERIAL)])
    assert status.intact
    assert status.timestamp_validity is None


def test_the_institutions_own_certificate(tmp_path: Path) -> None:
    key, own, _ = pkcs12.load_key_and_certificates(MATERIAL, None)
    assert own is not None
    file = tmp_path / "own.p12"
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, own, None, BestAvailableEncryption(b"secret")))  # type: ignore[arg-type]  # the key of a seal is one that pkcs12 takes
    file.chmod(0o600)
    settings = Settings(data_dir=tmp_path, seal_pkcs12=file, seal_password=SecretStr("secret"))
    assert checked(seal_of(settings)(PLAIN), [own]).bottom_line
    assert "secret" not in repr(settings)
    with pytest.raises(KeysWrong, match="another password"):
        seal_of(Settings(data_dir=tmp_path, seal_pkcs12=file, seal_password=SecretStr("wrong")))
    file.chmod(0o644)
    with pytest.raises(KeysWrong, match="chmod"):
        seal_of(settings)
    with pytest.raises(KeysWrong):
        seal_of(Settings(data_dir=tmp_path, seal_pkcs12=tmp_path / "none"))


def test_init_makes_the_seal_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.keys_dir.mkdir()
    assert seal_of(settings) is unsealed
    assert make_seal(settings)
    assert not make_seal(settings)
    assert (settings.keys_dir / SEAL).stat().st_mode & 0o777 == 0o600
    assert seal_of(settings)(PLAIN).count(b"/ByteRange") == 1
    (settings.keys_dir / SEAL).write_bytes(b"no")
    with pytest.raises(KeysWrong, match="damaged"):
        seal_of(settings)
    with pytest.raises(SealWrong):
        Seal(b"")


def test_it_costs_nothing_until_something_is_sealed() -> None:
    code = "import sys, accessctl.bootstrap; sys.exit('pyhanko' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
