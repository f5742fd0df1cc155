package param

import (
	"errors"
	"net/netip"
	"regexp"
)

const hostLabel = `[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?`

var hostName = regexp.MustCompile(`^` + hostLabel + `(\.` + hostLabel + `)*$`)

// ParseHost reads the name of a host, or its address.
func ParseHost(text string) (string, error) {
	ip, err := netip.ParseAddr(text)
	if err == nil && !ip.IsUnspecified() && !ip.IsMulticast() {
		return text, nil
	}
	if err == nil || len(text) > 253 || !hostName.MatchString(text) {
		return "", errors.New("is neither the name of a host, such as qnetd.example.org, nor an address")
	}
	return text, nil
}
