package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/ocf"
)

// The metadata service is on this machine's host. It is asked twice because it may not be up yet
// when a machine boots.
const (
	metadataTimeout  = 2 * time.Second
	metadataAttempts = 2
)

// fetchMetadata asks the metadata service for one address. If that fails, its last answer since
// boot is used: its answers do not change while a machine runs.
func (in *Instance) fetchMetadata(ctx context.Context, v addressVariable,
	remember bool) (netip.Addr, error) {
	url := in.MetadataURL + "/metadata/v1/" + v.path
	var addr netip.Addr
	var err error
	for range metadataAttempts {
		if addr, err = fetchAddr(ctx, url); err == nil {
			if remember {
				in.keepAnswer(v.name, addr)
			}
			return addr, nil
		}
	}
	if remember {
		if addr, ok := in.lastAnswer(v.name); ok {
			ocf.CallFrom(ctx).Warnf("%s is taken from the metadata service's last answer, %s: %v",
				v.name, addr, err)
			return addr, nil
		}
	}
	return netip.Addr{}, err
}

// fetchAddr requests a document that is an address and nothing else.
func fetchAddr(ctx context.Context, url string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return netip.Addr{}, err
	}
	response, err := direct().Do(request)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 256))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service does not answer: GET %s: %w", url,
			err)
	}
	if response.StatusCode != http.StatusOK {
		return netip.Addr{}, fmt.Errorf("the metadata service does not know it: GET %s: %s", url,
			response.Status)
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(string(body)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service does not answer with an address: "+
			"GET %s: %q", url, body)
	}
	return addr, nil
}

// direct returns an HTTP client without proxies and without connections that outlive a request.
func direct() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: noRedirect}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// keepAnswer saves an answer. A failure to do so does not prevent a start.
func (in *Instance) keepAnswer(variable string, addr netip.Addr) {
	answers := in.answers()
	answers[variable] = addr
	if text, err := json.Marshal(answers); err == nil {
		_ = writeFile(in.Metadata(), text)
	}
}

func (in *Instance) lastAnswer(variable string) (netip.Addr, bool) {
	addr, ok := in.answers()[variable]
	return addr, ok
}

func (in *Instance) answers() map[string]netip.Addr {
	answers := map[string]netip.Addr{}
	text, err := os.ReadFile(in.Metadata())
	if errors.Is(err, os.ErrNotExist) || json.Unmarshal(text, &answers) != nil || answers == nil {
		return map[string]netip.Addr{}
	}
	return answers
}
