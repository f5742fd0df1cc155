package metadata

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/internal/atomicfile"
)

// ParseID accepts what the API takes for a droplet's id: a positive whole number.
func ParseID(text string) (string, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 || strconv.Itoa(n) != text {
		return "", fmt.Errorf("%.40q is not a droplet's id", text)
	}
	return text, nil
}

// Identity finds out the id of this droplet once a boot: from the file where it was noted, from the
// metadata service, or from the firmware, where DigitalOcean writes it as the serial number of the
// machine.
type Identity struct {
	Metadata *Client
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
		id, err = ParseID(text)
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
	id, err := ParseID(fields[1])
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
	id, err := ParseID(string(text))
	return id, err == nil
}

// Here returns the Identity of the machine that this runs on. cache is the file that keeps the id
// until the next boot, "" keeps nothing.
func Here(m *Client, cache string) Identity {
	return Identity{Metadata: m, Cache: cache, BootID: "/proc/sys/kernel/random/boot_id",
		Firmware: "/sys/class/dmi/id"}
}
