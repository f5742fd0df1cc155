package digitalocean

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The metadata service answers within milliseconds or, now and then, not at all; a second try costs less than a wrong verdict.
const (
	metadataTimeout  = 1500 * time.Millisecond // of one request
	metadataAttempts = 3
	metadataPause    = 50 * time.Millisecond // before the next attempt, and up to twice that
)

// metadata is a client of a droplet's metadata service
// (https://docs.digitalocean.com/reference/api/metadata/).
type metadata struct {
	origin string // "http://169.254.169.254"
	client *http.Client
}

func newMetadata(origin string) *metadata {
	return &metadata{origin: origin, client: &http.Client{
		Timeout: metadataTimeout,
		// No proxy: the service is a link-local address, and what a proxy says about itself is not about this droplet.
		Transport: &http.Transport{
			DialContext:     (&net.Dialer{Timeout: metadataTimeout}).DialContext,
			MaxIdleConns:    1,
			IdleConnTimeout: time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errNoKey is a key that the service does not have.
var errNoKey = errors.New("no such key")

// get reads a key, such as "id". Keys are short lines of text; user-data, which is not, is never asked for.
func (m *metadata) get(ctx context.Context, key string) (string, error) {
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
		if text, err = m.once(ctx, key); err == nil || errors.Is(err, errNoKey) {
			return text, err
		}
	}
	return "", err
}

func (m *metadata) once(ctx context.Context, key string) (string, error) {
	url := m.origin + "/metadata/v1/" + key
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("metadata service %s: %w", url, err)
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("the metadata service does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	switch {
	case err != nil:
		return "", fmt.Errorf("the metadata service broke off its answer to %s: %w", url, err)
	case resp.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("the metadata service has no %s: %w", key, errNoKey)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the metadata service answers %s to %s", resp.Status, url)
	}
	return strings.TrimSpace(string(body)), nil
}

// reserved is the reserved address of this droplet, the zero Addr if it has none.
func (m *metadata) reserved(ctx context.Context, v6 bool) (netip.Addr, error) {
	// Reserved addresses were called floating ones until 2022, and there were none of IPv6 yet.
	bases := []string{"reserved_ip/ipv4/", "floating_ip/ipv4/"}
	if v6 {
		bases = []string{"reserved_ip/ipv6/"}
	}
	var err error
	for _, base := range bases {
		var active string
		active, err = m.get(ctx, base+"active")
		if errors.Is(err, errNoKey) {
			continue
		}
		if err != nil {
			return netip.Addr{}, err
		}
		switch active {
		case "false":
			return netip.Addr{}, nil
		case "true":
			text, err := m.get(ctx, base+"ip_address")
			if err != nil {
				return netip.Addr{}, err
			}
			return parseAddr(base, text)
		}
		return netip.Addr{}, fmt.Errorf("the metadata service says %sactive is %.40q, and not true or false", base, active)
	}
	return netip.Addr{}, fmt.Errorf("the metadata service cannot say which reserved address is here: %w", err)
}

func parseAddr(base, text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service says %sip_address is %.60q, which is no address", base, text)
	}
	return addr.Unmap(), nil
}

// parseDropletID accepts what the API takes for a droplet's id: a positive whole number.
func parseDropletID(text string) (string, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 || strconv.Itoa(n) != text {
		return "", fmt.Errorf("%.40q is not a droplet's id", text)
	}
	return text, nil
}

// identity finds out the id of this droplet once a boot: from the file where it was noted, from the metadata service, or from
// the firmware, where DigitalOcean writes it as the serial number of the machine.
type identity struct {
	metadata *metadata
	cache    string // file; "" keeps nothing
	bootID   string // file
	firmware string // directory
}

func (i identity) droplet(ctx context.Context) (string, error) {
	boot, bootErr := os.ReadFile(i.bootID)
	if bootErr == nil && i.cache != "" {
		if id, ok := parseNote(i.cache, strings.TrimSpace(string(boot))); ok {
			return id, nil
		}
	}
	text, err := i.metadata.get(ctx, "id")
	var id string
	if err == nil {
		id, err = parseDropletID(text)
	}
	if err != nil {
		if id, ok := i.serial(); ok {
			return id, nil
		}
		return "", fmt.Errorf("cannot find out which droplet this is: %w", err)
	}
	if bootErr == nil && i.cache != "" {
		// A note that cannot be written costs a request the next time, nothing else.
		note := strings.TrimSpace(string(boot)) + " " + id + "\n"
		if os.WriteFile(i.cache+".new", []byte(note), 0o600) == nil {
			_ = os.Rename(i.cache+".new", i.cache)
		}
	}
	return id, nil
}

// parseNote reads the id noted since this boot: a droplet made from the snapshot of another one has a new id and a new boot.
func parseNote(path, boot string) (string, bool) {
	note, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	fields := strings.Fields(string(note))
	if len(fields) != 2 || boot == "" || fields[0] != boot {
		return "", false
	}
	id, err := parseDropletID(fields[1])
	return id, err == nil
}

// serial is the droplet's id as the firmware has it; cloud-init finds it in the same place (DataSourceDigitalOcean).
func (i identity) serial() (string, bool) {
	vendor, err := os.ReadFile(filepath.Join(i.firmware, "sys_vendor"))
	if err != nil || strings.TrimSpace(string(vendor)) != "DigitalOcean" {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(i.firmware, "product_serial"))
	if err != nil {
		return "", false
	}
	id, err := parseDropletID(string(text))
	return id, err == nil
}
