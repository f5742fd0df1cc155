package corosync

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/stretchr/testify/require"
)

// provokeEncryption provokes the findings of the check corosync-encryption.
func provokeEncryption() []provoked {
	return []provoked{
		{name: "a key that cannot be looked at", provoke: func(t *testing.T, r *ring) {
			require.NoError(t, os.Remove(filepath.Join(r.Files, "/etc/corosync/authkey")))
			require.NoError(t,
				os.Symlink("authkey", filepath.Join(r.Files, "/etc/corosync/authkey")))
		}, want: doctor.Unknown, says: "the key could not be checked"},
		{name: "no encryption", provoke: func(_ *testing.T, r *ring) {
			r.conf = strings.NewReplacer("aes256", "none", "sha256", "none").Replace(r.conf)
			r.cmap = strings.NewReplacer("aes256", "none", "sha256", "none").Replace(r.cmap)
		}, want: doctor.Warning, says: "neither encrypted nor authenticated"},
		{name: "encrypted only", provoke: func(_ *testing.T, r *ring) {
			r.conf = strings.ReplaceAll(r.conf, "crypto_hash: sha256", "crypto_hash: none")
			r.cmap = strings.ReplaceAll(r.cmap, "crypto_hash (str) = sha256",
				"crypto_hash (str) = none")
		}, want: doctor.Warning, says: "not authenticated"},
		{name: "the key is readable", provoke: func(t *testing.T, r *ring) {
			require.NoError(t, os.Chmod(filepath.Join(r.Files, "/etc/corosync/authkey"), 0o644))
		}, want: doctor.Error, says: "mode 0644"},
		{name: "the key is missing", provoke: func(t *testing.T, r *ring) {
			require.NoError(t, os.Remove(filepath.Join(r.Files, "/etc/corosync/authkey")))
		}, want: doctor.Error, says: "is not there"},
	}
}
