"""The seal of this installation's PDFs: the institution's own certificate where it is set, else the one of `init`."""

from accessctl import clock
from accessctl.bootstrap.keys import KeysWrong, write_new
from accessctl.documents.sealing import Seal, SealWrong, make_material
from accessctl.secret_files import OpenToOthers, read_secret
from accessctl.services.paper_facts import Sealing, unsealed
from accessctl.settings import Settings

SEAL = "seal.p12"


def make_seal(settings: Settings) -> bool:
    """Make the key and the self-issued certificate of the seal; False where they are there already."""
    material = make_material(name=settings.origin, institution=settings.institution, at=clock.now())
    try:
        write_new(settings.keys_dir / SEAL, material)
    except FileExistsError:
        return False
    return True


def seal_of(settings: Settings) -> Sealing:
    """What seals a PDF. An installation made before there were seals has none until `init` runs again.

    Raises `KeysWrong`.
    """
    file = settings.seal_pkcs12 or settings.keys_dir / SEAL
    if settings.seal_pkcs12 is None and not file.exists():
        return unsealed
    try:
        return Seal(
            read_secret(file, named_by="" if settings.seal_pkcs12 is None else "seal_pkcs12"),
            password=settings.seal_password.get_secret_value(),
            authority=settings.time_stamp_authority,
        )
    except OpenToOthers as found:
        raise KeysWrong(str(found)) from None
    except OSError as failed:
        raise KeysWrong(f"{file}: {failed.strerror}") from None
    except SealWrong as wrong:
        raise KeysWrong(f"{file}: {wrong}") from None
