package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// apiName is the name under which agents look for the API by default.
const apiName = "api.digitalocean.com"

// makeCertificates makes an authority just for this lab and a certificate for the API's name, so
// that the API answers where agents look for it without any parameter.
func (l *Lab) makeCertificates() error {
	fail := func(err error) error { return fmt.Errorf("lab: make the API's certificate: %w", err) }
	from, until := time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hawser-lab " + l.spec.Name},
		NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return fail(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: apiName}, NotBefore: from,
		NotAfter: until,
		DNSNames: []string{apiName}, IPAddresses: []net.IP{API.AsSlice()},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return fail(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fail(err)
	}
	encode := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{
			Type: kind, Bytes: der,
		})
	}
	l.spec.CA = string(encode("CERTIFICATE", caDER))
	if err := os.WriteFile(l.path("api.crt"), encode("CERTIFICATE", leafDER), 0o644); err != nil {
		return fail(err)
	}
	if err := os.WriteFile(l.path("api.key"), encode("EC PRIVATE KEY", keyDER), 0o600); err != nil {
		return fail(err)
	}
	return nil
}
