// Package metadata is what a droplet of DigitalOcean can find out about itself without a token: by
// its metadata service, and which droplet it is. Unlike internal/digitalocean it links no client of
// the API, so that agents that run every few seconds can use it.
//
// It imports internal/atomicfile. Open this file first.
package metadata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// The metadata service answers within milliseconds or, now and then, not at all; a second try costs
// less than a wrong verdict.
const (
	metadataTimeout  = 1500 * time.Millisecond // of one request
	metadataAttempts = 3
	metadataPause    = 50 * time.Millisecond // before the next attempt, and up to twice that
)

// Client is a client of a droplet's metadata service
// (https://docs.digitalocean.com/reference/api/metadata/).
type Client struct {
	origin string // "http://169.254.169.254"
	HTTP   *http.Client
}

// New returns a client of the service at the origin.
func New(origin string) *Client {
	return &Client{origin: origin, HTTP: &http.Client{
		Timeout: metadataTimeout,
		// No proxy: the service is a link-local address, and what a proxy says about itself is not
		// about this droplet.
		Transport: &http.Transport{
			DialContext:     (&net.Dialer{Timeout: metadataTimeout}).DialContext,
			MaxIdleConns:    1,
			IdleConnTimeout: time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// ErrNoKey is a key that the service does not have.
var ErrNoKey = errors.New("no such key")

// Get reads a key, such as "id". Keys are short lines of text; user-data, which is not, is never
// asked for.
func (m *Client) Get(ctx context.Context, key string) (string, error) {
	var err error
	for attempt := range metadataAttempts {
		if attempt > 0 {
			pause := metadataPause + rand.N(metadataPause)
			select {
			case <-ctx.Done():
				return "", err
			case <-time.After(pause):
			}
		}
		var text string
		if text, err = m.once(ctx, key); err == nil || errors.Is(err, ErrNoKey) {
			return text, err
		}
	}
	return "", err
}

func (m *Client) once(ctx context.Context, key string) (string, error) {
	url := m.origin + "/metadata/v1/" + key
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("metadata service %s: %w", url, err)
	}
	resp, err := m.HTTP.Do(req)
	if err != nil {
		return "", fmt.Errorf("the metadata service does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	switch {
	case err != nil:
		return "", fmt.Errorf("the metadata service broke off its answer to %s: %w", url, err)
	case resp.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("the metadata service has no %s: %w", key, ErrNoKey)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the metadata service answers %s to %s", resp.Status, url)
	}
	return strings.TrimSpace(string(body)), nil
}
