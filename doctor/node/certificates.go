package node

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // what HAProxy prints of a certificate
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
)

// endsSoon is within what time a certificate ends that should have been renewed by now; a third of its
// life if that is shorter.
const endsSoon = 14 * 24 * time.Hour

// mostCertificates is how many findings there are about the certificates of one HAProxy: what renews
// one renews all.
const mostCertificates = 5

func (n Node) certificateCheck() doctor.Check {
	return doctor.Check{
		Name: "certificates",
		Short: "a certificate that HAProxy serves and that ends soon, or that was renewed on disk and " +
			"not loaded",
		Worst: doctor.Error, Timeout: 20 * time.Second,
		Why: "browsers refuse a site whose certificate has ended; a hook that runs `systemctl reload " +
			"haproxy` does not reach the cluster's HAProxy",
		Remedy: "hawser reload, as the hook of what renews the certificate",
		Run: n.ofHAProxies(
			func(ctx context.Context, h inventory.HAProxy) ([]doctor.Finding, error) {
				runtime := haproxy.Runtime{Path: contract.FilesOf(n.RunDir, h.Resource).StatsSocket()}
				files, err := runtime.Certificates(ctx)
				if errors.Is(err, fs.ErrNotExist) {
					return nil, nil // it does not run here
				}
				if err != nil {
					return nil, err
				}
				var found []doctor.Finding
				var unknown error
				for _, file := range files {
					if len(found) == mostCertificates {
						break
					}
					served, err := runtime.Certificate(ctx, file)
					if ctx.Err() != nil {
						return found, err
					}
					if errors.Is(err, haproxy.ErrNoCertificate) {
						continue // it was removed meanwhile, or is a key without a certificate
					}
					if err != nil {
						unknown = cmp.Or(unknown, err)
						continue
					}
					if f, bad := n.judgeCertificate(h, file, served, time.Now()); bad {
						found = append(found, f)
					}
				}
				return found, unknown
			}),
	}
}

// judgeCertificate compares a certificate that is served with its file, and with the time.
func (n Node) judgeCertificate(h inventory.HAProxy, file string, served haproxy.Certificate,
	now time.Time) (doctor.Finding, bool) {
	left := served.NotAfter.Sub(now)
	ends := "ends on " + served.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	severity := doctor.Warning
	if left <= 0 {
		severity, ends = doctor.Error, "ended on "+served.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	}
	reload := "hawser reload " + doctor.Quote(h.Resource)
	onDisk, err := readCertificate(n.file(file))
	if filepath.IsAbs(file) && err == nil && sha1.Sum(onDisk.Raw) != served.SHA1 { //nolint:gosec // as above
		return n.found(severity, h.Resource,
			fmt.Sprintf("HAProxy serves another certificate than %s holds; the one that it serves %s",
				file, ends),
			"what was renewed takes effect when it is loaded", reload), true
	}
	if left > min(endsSoon, served.NotAfter.Sub(served.NotBefore)/3) {
		return doctor.Finding{}, false
	}
	return n.found(severity, h.Resource,
		fmt.Sprintf("the certificate in %s, which HAProxy serves, %s", file, ends),
		"browsers refuse the site from then on",
		"openssl x509 -noout -dates -subject -in "+doctor.Quote(file)+"   # renew it, then:", reload), true
}

// mostPEM is far more than a certificate with its chain and its key takes, in bytes.
const mostPEM = 1 << 20

// readCertificate reads the first certificate of a file.
func readCertificate(path string) (*x509.Certificate, error) {
	// what is no file may have no end, or no beginning
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostPEM {
		return nil, fmt.Errorf("%s is not a file with a certificate", path)
	}
	text := make([]byte, info.Size())
	if _, err := file.ReadAt(text, 0); err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, fmt.Errorf("%s holds no certificate", path)
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}
