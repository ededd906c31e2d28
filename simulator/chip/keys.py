"""Key pairs of the twin's issuing states: curves that ``cryptography`` has, named or explicit; RSA with either padding; any digest."""

from dataclasses import dataclass
from functools import cached_property

from asn1crypto import algos, keys
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gate.checks.emrtd.curves import CURVES
from gate.checks.emrtd.keys import HASHES, NATIVE_CURVES


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """How somebody signs. ``key``: a curve of :mod:`gate.checks.emrtd.curves`, or ``rsa-`` and the bits.

    ``is_explicit``: the curve is written out in certificates, as Doc 9303 part 12 wants it; ``is_pss``: RSA with PSS, not PKCS #1 v1.5;
    ``salt_octets``: of PSS, None for as many as the digest has.
    """

    key: str = "brainpoolP256r1"
    digest: str = "sha256"
    is_explicit: bool = True
    is_pss: bool = True
    salt_octets: int | None = None

    @property
    def is_rsa(self) -> bool:
        return self.key.startswith("rsa-")


class KeyPair:
    """A key pair that signs by one algorithm. ``private_key`` is there for whatever else somebody wants to do with it."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
        if algorithm.is_rsa:
            self.private_key = rsa.generate_private_key(65537, int(algorithm.key.removeprefix("rsa-")))
        else:
            self.private_key = ec.generate_private_key(NATIVE_CURVES[algorithm.key])

    @cached_property
    def public_key_info(self) -> bytes:
        """The SubjectPublicKeyInfo (DER), with explicit curve parameters if the algorithm says so."""
        named = self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if self.algorithm.is_rsa or not self.algorithm.is_explicit:
            return named
        curve = CURVES[self.algorithm.key]
        octets = curve.field_octets
        info = keys.PublicKeyInfo.load(named)
        domain = {
            "version": "ecdpVer1",
            "field_id": {"field_type": "prime_field", "parameters": curve.p},
            "curve": {"a": curve.a.to_bytes(octets, "big"), "b": curve.b.to_bytes(octets, "big")},
            "base": keys.ECPoint.from_coords(curve.x, curve.y).native,
            "order": curve.n,
            "cofactor": 1,
        }
        parameters = keys.ECDomainParameters(name="specified", value=keys.SpecifiedECDomain(domain))
        explicit = {"algorithm": {"algorithm": "ec", "parameters": parameters}, "public_key": info["public_key"]}
        der: bytes = keys.PublicKeyInfo(explicit).dump()
        return der

    def sign(self, message: bytes) -> bytes:
        """The signature; ECDSA as a DER sequence of r and s."""
        digest = HASHES[self.algorithm.digest]
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            return self.private_key.sign(message, ec.ECDSA(digest))
        if self.algorithm.is_pss:
            pss = padding.PSS(padding.MGF1(digest), self._salt_octets)
            return self.private_key.sign(message, pss, digest)
        return self.private_key.sign(message, padding.PKCS1v15(), digest)

    @property
    def signature_algorithm(self) -> algos.SignedDigestAlgorithm:
        """The AlgorithmIdentifier of :meth:`sign`'s results."""
        digest = self.algorithm.digest
        if not self.algorithm.is_rsa:
            return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_ecdsa"})
        if not self.algorithm.is_pss:
            return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_rsa"})
        parameters = {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": digest}},
            "salt_length": self._salt_octets,
        }
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})

    @property
    def _salt_octets(self) -> int:
        given = self.algorithm.salt_octets
        return HASHES[self.algorithm.digest].digest_size if given is None else given
