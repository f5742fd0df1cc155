package protect

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MostHold is the longest time for which connections may be held.
const MostHold = time.Minute

// ParsePorts reads numbers with commas between them, such as 80,443.
func ParsePorts(list string) ([]uint16, error) {
	var ports []uint16
	for _, word := range betweenCommas(list) {
		port, err := strconv.ParseUint(word, 10, 16)
		if err != nil || port == 0 {
			return nil, fmt.Errorf(
				"--ports %q: want numbers from 1 to 65535 with commas between, such as 80,443", list)
		}
		if !slices.Contains(ports, uint16(port)) {
			ports = append(ports, uint16(port))
		}
	}
	return ports, nil
}

// ParseAddresses reads addresses with commas between them, such as 203.0.113.10,2001:db8::10.
func ParseAddresses(list string) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, word := range betweenCommas(list) {
		address, err := netip.ParseAddr(word)
		if err != nil || address.Zone() != "" {
			return nil, fmt.Errorf("--addresses %q: want addresses with commas between, such as "+
				"203.0.113.10,2001:db8::10", list)
		}
		all = append(all, address.Unmap())
	}
	return all, nil
}

// betweenCommas returns the words of a list that has commas between them.
func betweenCommas(list string) []string {
	if list == "" {
		return nil
	}
	all := strings.Split(list, ",")
	for i, w := range all {
		all[i] = strings.TrimSpace(w)
	}
	return all
}
