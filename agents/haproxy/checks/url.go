package checks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/hawser-ha/hawser/param"
)

// request makes one request on a connection of its own, as a client that comes for the first time.
// Redirections are answers, and are not followed.
func (r *Runner) request(ctx context.Context, c *param.Check) error {
	target, err := r.expand(c.URL)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, c.Method, target, http.NoBody)
	if err != nil {
		return unwrapURL(c.Method, c.URL, err)
	}
	request.Header.Set("User-Agent", "hawser/"+r.Version)
	request.Close = true
	if c.Host != "" {
		if request.Host, err = r.expand(c.Host); err != nil {
			return err
		}
	}
	settings, err := r.tlsSettings(c, request)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: settings,
		MaxResponseHeaderBytes: 64 << 10}
	defer transport.CloseIdleConnections()
	asker := &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	response, err := asker.Do(request)
	if err != nil {
		return unwrapURL(c.Method, target, err)
	}
	_ = response.Body.Close()
	if !c.Statuses.Has(response.StatusCode) {
		return fmt.Errorf("%s %s: %s", c.Method, target, response.Status)
	}
	return nil
}

// unwrapURL names the request as the other messages do, and not as net/http does.
func unwrapURL(method, target string, err error) error {
	if wrapped, ok := err.(*url.Error); ok { //nolint:errorlint // what Client.Do returns is one itself
		err = wrapped.Err
	}
	return fmt.Errorf("%s %s: %w", method, target, err)
}

func (r *Runner) tlsSettings(c *param.Check, request *http.Request) (*tls.Config, error) {
	name, err := r.expand(c.SNI)
	if err != nil {
		return nil, err
	}
	// By default any certificate will do: it is HAProxy's own, and often not for the address that
	// the request goes to.
	settings := &tls.Config{InsecureSkipVerify: !c.Verify, ServerName: name}
	if settings.ServerName == "" && request.Host != request.URL.Host {
		settings.ServerName = (&url.URL{Host: request.Host}).Hostname()
	}
	if c.CAFile == "" {
		return settings, nil
	}
	text, err := readAuthorities(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM form", c.CAFile)
	}
	return settings, nil
}

// mostAuthorities is far more than all public authorities together take, in bytes.
const mostAuthorities = 4 << 20

// readAuthorities reads a file that ends: a keeper that opened a FIFO would leave a thread behind
// each time, and a device would fill its memory.
func readAuthorities(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	return io.ReadAll(io.LimitReader(file, mostAuthorities))
}
