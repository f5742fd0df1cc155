package corosync

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hawser-ha/hawser/doctor"
)

// checkEncryption checks how messages between the nodes are protected.
func checkEncryption(v *view) []doctor.Finding {
	cipher, hash := v.keys["totem.crypto_cipher"], v.keys["totem.crypto_hash"]
	transport := v.transport()
	secauth := slices.Contains([]string{"on", "yes"}, v.keys["totem.secauth"])
	if (cipher == "" || cipher == "none") && !secauth || transport != "knet" {
		f := doctor.Finding{
			Severity: doctor.Warning, Subject: "crypto_cipher",
			What: "Corosync's messages are neither encrypted nor authenticated (crypto_cipher: " +
				"none)",
			Why: "whoever reaches the nodes' network can join the cluster, read the tokens of " +
				"its resources and run commands as root on its nodes",
			Fix: []string{
				"corosync-keygen    # on one node; then copy /etc/corosync/authkey to the " +
					"others, mode 0400",
				`sed -i '/^[[:space:]]*\(crypto_cipher\|crypto_hash\|secauth\):/d; ` +
					`s/^\([[:space:]]*\)totem[[:space:]]*{/&\n\tcrypto_cipher: ` +
					`aes256\n\tcrypto_hash: sha256/' ` + confFile + "    # on every node",
				"corosync-cfgtool -R    # on one",
			},
		}
		if transport != "knet" {
			f.Subject, f.What = "transport", "Corosync's messages go by the transport "+transport+
				", which has no encryption"
			f.Fix = []string{
				"sed -i 's/transport: " + transport + "/transport: knet/' " + confFile +
					"    # on every node; then encryption, and a restart of all of them at once",
			}
		}
		return []doctor.Finding{f}
	}
	if hash == "none" && !secauth {
		return []doctor.Finding{
			{
				Severity: doctor.Warning, Subject: "crypto_hash",
				What: "Corosync's messages are encrypted but not authenticated (crypto_hash: none)",
				Why:  "they can be forged by whoever reaches the nodes' network",
				Fix: []string{
					"sed -i 's/crypto_hash: none/crypto_hash: sha256/' " + confFile +
						"    # on every node",
					"corosync-cfgtool -R    # on one",
				},
			},
		}
	}
	return doctor.At(v.Node, v.checkKey())
}

// checkKey checks the file with the key.
func (v *view) checkKey() []doctor.Finding {
	path := "/etc/corosync/authkey"
	if file := v.keys["totem.keyfile"]; file != "" {
		path = file
	}
	info, err := os.Stat(filepath.Join("/", v.Files, path))
	switch {
	case os.IsNotExist(err) && v.keys["totem.key"] == "":
		return []doctor.Finding{
			{
				Severity: doctor.Error, Subject: path,
				What: "encryption is on, and the key " + path + " is not there",
				Why:  "Corosync does not start again without it",
				Todo: []string{"copy " + path + " from another node, owner root, mode 0400"},
			},
		}
	case os.IsNotExist(err):
		return nil // the key is in corosync.conf
	case err != nil:
		return []doctor.Finding{
			{
				Severity: doctor.Unknown, Subject: path,
				What: "the key could not be checked: " + err.Error(),
				Why:  "whoever can read it can take part in the cluster",
				Fix:  []string{"ls -l " + doctor.Quote(path)},
			},
		}
	case info.Mode().Perm()&0o077 != 0:
		return []doctor.Finding{
			{
				Severity: doctor.Error, Subject: path,
				What: fmt.Sprintf("%s has the mode %04o", path, info.Mode().Perm()),
				Why: "whoever can log in to this node can read it, and with it take part in the " +
					"cluster",
				Fix: []string{"chmod 0400 " + doctor.Quote(path)},
			},
		}
	}
	return nil
}
