package digitalocean

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/atomicfile"
)

// The metadata service answers within milliseconds or, now and then, not at all; a second try costs
// less than a wrong verdict.
const (
	metadataTimeout  = 1500 * time.Millisecond // of one request
	metadataAttempts = 3
	metadataPause    = 50 * time.Millisecond // before the next attempt, and up to twice that
)

// Metadata is a client of a droplet's metadata service
// (https://docs.digitalocean.com/reference/api/metadata/).
type Metadata struct {
	origin string // "http://169.254.169.254"
	HTTP   *http.Client
}

// NewMetadata returns a client of the service at the origin.
func NewMetadata(origin string) *Metadata {
	return &Metadata{origin: origin, HTTP: &http.Client{
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

// ErrNoKey says that the service does not have the key.
var ErrNoKey = errors.New("no such key")

// Get reads a key, such as "id". Keys are short lines of text; user-data, which is not, is never
// requested.
func (m *Metadata) Get(ctx context.Context, key string) (string, error) {
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

func (m *Metadata) once(ctx context.Context, key string) (string, error) {
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

// ParseDropletID accepts what the API takes for a droplet's id: a positive whole number.
func ParseDropletID(text string) (string, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 || strconv.Itoa(n) != text {
		return "", fmt.Errorf("%.40q is not a droplet's id", text)
	}
	return text, nil
}

// Identity finds out the id of this droplet once per boot: from the file where it was noted, from
// the metadata service, or from the firmware, where DigitalOcean writes it as the serial number of
// the machine.
type Identity struct {
	Metadata *Metadata
	Cache    string // file; "" keeps nothing
	BootID   string // file
	Firmware string // directory
}

// Droplet returns the id of this droplet.
func (i Identity) Droplet(ctx context.Context) (string, error) {
	boot, bootErr := os.ReadFile(i.BootID)
	if bootErr == nil && i.Cache != "" {
		if id, ok := ParseNote(i.Cache, strings.TrimSpace(string(boot))); ok {
			return id, nil
		}
	}
	text, err := i.Metadata.Get(ctx, "id")
	var id string
	if err == nil {
		id, err = ParseDropletID(text)
	}
	if err != nil {
		if id, ok := i.serial(); ok {
			return id, nil
		}
		return "", fmt.Errorf("cannot find out which droplet this is: %w", err)
	}
	if bootErr == nil && i.Cache != "" {
		// A note that cannot be written costs a request the next time, nothing else.
		note := strings.TrimSpace(string(boot)) + " " + id + "\n"
		_ = atomicfile.Write(i.Cache, []byte(note), 0o600)
	}
	return id, nil
}

// ParseNote reads the id noted since this boot: a droplet made from the snapshot of another one has
// a new id and a new boot.
func ParseNote(path, boot string) (string, bool) {
	note, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	fields := strings.Fields(string(note))
	if len(fields) != 2 || boot == "" || fields[0] != boot {
		return "", false
	}
	id, err := ParseDropletID(fields[1])
	return id, err == nil
}

// serial returns the droplet's id as the firmware has it; cloud-init finds it in the same place
// (DataSourceDigitalOcean).
func (i Identity) serial() (string, bool) {
	vendor, err := os.ReadFile(filepath.Join(i.Firmware, "sys_vendor"))
	if err != nil || strings.TrimSpace(string(vendor)) != "DigitalOcean" {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(i.Firmware, "product_serial"))
	if err != nil {
		return "", false
	}
	id, err := ParseDropletID(string(text))
	return id, err == nil
}

// Here returns the Identity of this machine. cache is the file that keeps the id until the next
// boot; "" keeps nothing.
func Here(m *Metadata, cache string) Identity {
	return Identity{Metadata: m, Cache: cache, BootID: "/proc/sys/kernel/random/boot_id",
		Firmware: "/sys/class/dmi/id"}
}
