"""Certificates for tests, made with the openssl program: an authority, and what it signs."""
import os
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.path = os.path.join(folder, f"{name}.pem")
        self.key = os.path.join(folder, f"{name}.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", self.key, "-out", self.path)

    def issue(self, name, alternative="DNS:localhost,IP:127.0.0.1", days="30", key_type=("ec", "ec_paramgen_curve:P-256")):
        """(certificate path, key path)"""
        base = os.path.join(self.folder, name)
        openssl("req", "-new", "-newkey", key_type[0], "-pkeyopt", key_type[1], "-nodes", "-subj", f"/CN={name}", "-keyout", base + ".key", "-out", base + ".csr")
        with open(base + ".ext", "w", encoding="utf-8") as out:
            out.write(f"basicConstraints=critical,CA:FALSE\nsubjectAltName={alternative}\n")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.path, "-CAkey", self.key, "-CAcreateserial", "-days", days, "-extfile", base + ".ext",
                "-out", base + ".pem")
        return base + ".pem", base + ".key"
