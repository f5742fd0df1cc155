package haproxy

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Certificate is one that HAProxy serves, as it was loaded from a file.
type Certificate struct {
	// SHA1 is that of the certificate in DER.
	SHA1                [20]byte
	NotBefore, NotAfter time.Time
}

// Certificates lists the files of which HAProxy has loaded a certificate (`show ssl cert`). A HAProxy
// without TLS has none.
func (r Runtime) Certificates(ctx context.Context) ([]string, error) {
	answer, err := ask(ctx, r.Path, "show ssl cert")
	if err != nil || strings.HasPrefix(answer, "Unknown command") {
		return nil, err
	}
	var files []string
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "*") {
			files = append(files, line)
		}
	}
	return files, nil
}

// ErrNoCertificate says that HAProxy has no certificate of that name: it was removed meanwhile, or what
// is there is a key, or a list of authorities.
var ErrNoCertificate = errors.New("no certificate")

// certificateTime is how HAProxy writes a time: that of OpenSSL's ASN1_TIME_print.
const certificateTime = "Jan _2 15:04:05 2006 MST"

// Certificate asks for one of them.
func (r Runtime) Certificate(ctx context.Context, file string) (Certificate, error) {
	answer, err := ask(ctx, r.Path, "show ssl cert "+quote(file))
	if err != nil {
		return Certificate{}, err
	}
	var c Certificate
	for line := range strings.Lines(answer) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "notBefore":
			c.NotBefore, err = time.Parse(certificateTime, value)
		case "notAfter":
			c.NotAfter, err = time.Parse(certificateTime, value)
		case "SHA1 FingerPrint":
			_, err = hex.Decode(c.SHA1[:], []byte(value))
		}
		if err != nil {
			return Certificate{}, fmt.Errorf("%s: show ssl cert: %w", r.Path, err)
		}
	}
	if c.NotAfter.IsZero() {
		return Certificate{}, fmt.Errorf("%s: show ssl cert %s: %w in the answer %s", r.Path, file,
			ErrNoCertificate, excerpt(answer))
	}
	return c, nil
}

// quote makes a text one word of a command: a semicolon would begin the next one.
func quote(word string) string {
	return strings.NewReplacer(`\`, `\\`, " ", `\ `, ";", `\;`, "\n", `\ `).Replace(word)
}
