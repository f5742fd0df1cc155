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

// authority signs the certificates of a lab, and of no other.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
	from, until time.Time
}

// makeCertificates makes an authority just for this lab and a certificate for the API's name, so
// that the API answers where agents look for it without any parameter; and one for the servers of
// sites.
func (l *Lab) makeCertificates() error {
	a := &authority{from: time.Now().Add(-time.Hour), until: time.Now().AddDate(1, 0, 0)}
	der, err := a.begin("hawser-lab " + l.spec.Name)
	if err != nil {
		return fmt.Errorf("lab: make the lab's authority: %w", err)
	}
	l.spec.CA = string(pemOf("CERTIFICATE", der))
	if err := a.issue(l.path("api"), apiName, API.AsSlice()); err != nil {
		return fmt.Errorf("lab: make the API's certificate: %w", err)
	}
	if len(l.spec.Sites) == 0 {
		return nil
	}
	if err := a.issue(l.path("site"), siteHost); err != nil {
		return fmt.Errorf("lab: make the servers' certificate: %w", err)
	}
	return nil
}

// begin makes the authority itself.
func (a *authority) begin(name string) (der []byte, err error) {
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	a.serial = 1
	a.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: a.from, NotAfter: a.until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, a.key.Public(), a.key)
}

// issue makes a key and a certificate for the name, in path.key and path.crt.
func (a *authority) issue(path, name string, ips ...net.IP) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	a.serial++
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: a.from, NotAfter: a.until,
		DNSNames: []string{name}, IPAddresses: ips,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".crt", pemOf("CERTIFICATE", der), 0o644); err != nil {
		return err
	}
	return os.WriteFile(path+".key", pemOf("EC PRIVATE KEY", keyDER), 0o600)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// siteCertificate are the files by which a site's server is known.
func (l *Lab) siteCertificate() ([]file, error) {
	var files []file
	for name, mode := range map[string]os.FileMode{"site.crt": 0o644, "site.key": 0o600} {
		b, err := os.ReadFile(l.path(name))
		if err != nil {
			return nil, fmt.Errorf("lab: the servers' certificate: %w", err)
		}
		files = append(files, file{Path: "/etc/nginx/" + name, Mode: mode, Content: string(b)})
	}
	return files, nil
}
