package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
)

// certificate writes a key and a certificate of its own for a time.
func certificate(t *testing.T, path string, from, to time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: from,
		NotAfter: to, Subject: pkix.Name{CommonName: "example.com"}, DNSNames: []string{"example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

func TestCertificates(t *testing.T) {
	w := newWorld(t)
	w.Root = "/"
	now := time.Now()
	days := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	dir := t.TempDir()
	site := filepath.Join(dir, "site a;b.pem")
	certificate(t, site, days(-1), days(89))
	text, err := os.ReadFile(w.config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.config, fmt.Appendf(text, "\tbind 127.0.0.1:%d ssl crt '%s'\n",
		freePort(t), site), 0o600))
	require.Empty(t, w.finds("certificates"), "it does not run")
	w.runs()
	require.Empty(t, w.finds("certificates"))

	reload := func() {
		t.Helper()
		require.NoError(t, haproxy.Master{Path: filepath.Join(w.RunDir, "haproxy/master.sock")}.Reload(t.Context()))
	}
	certificate(t, site, days(0), days(90))
	w.findsOne("certificates", doctor.Warning, "HAProxy serves another certificate than "+site+" holds; the one "+
		"that it serves ends on "+days(89).UTC().Format("2006-01-02"), "hawser reload haproxy")
	reload()
	require.Empty(t, w.finds("certificates"))

	certificate(t, site, days(-80), days(10))
	reload()
	w.findsOne("certificates", doctor.Warning, "the certificate in "+site+", which HAProxy serves, ends on",
		"openssl x509")
	certificate(t, site, days(-1), days(5))
	reload()
	require.Empty(t, w.finds("certificates"), "one that lives for six days is new")
	certificate(t, site, days(-9), days(-1))
	reload()
	w.findsOne("certificates", doctor.Error, "ended on", "openssl x509")
	certificate(t, site, days(-1), days(89))
	w.findsOne("certificates", doctor.Error, "another certificate", "hawser reload")

	require.NoError(t, os.Remove(site))
	w.findsOne("certificates", doctor.Error, "ended on", "openssl x509")
}
