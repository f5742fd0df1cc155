package haproxy

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Listener is a listening TCP socket of this network namespace.
type Listener struct {
	Reach
	// Inode tells sockets apart: several may listen on one address (SO_REUSEPORT, which HAProxy
	// uses).
	Inode uint64
}

// Listeners asks the kernel for them.
func Listeners() ([]Listener, error) {
	if all, err := diagListeners(); err == nil {
		return all, nil
	}
	return listenersInTables()
}

// listenersInTables reads /proc/net/tcp and tcp6 (proc_net_tcp in the kernel's documentation), for a
// kernel without sock_diag. They do not tell which sockets take both families.
func listenersInTables() ([]Listener, error) {
	var all []Listener
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(table)
		if errors.Is(err, fs.ErrNotExist) && table == "/proc/self/net/tcp6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("cannot list listening sockets: %w", err)
		}
		listeners, err := parseListeners(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
		all = append(all, listeners...)
	}
	return all, nil
}

// parseListeners reads the lines in state 0A, TCP_LISTEN.
func parseListeners(table string) ([]Listener, error) {
	var listeners []Listener
	for i, line := range strings.Split(table, "\n") {
		// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
		words := strings.Fields(line)
		if i == 0 || len(words) < 10 || words[3] != "0A" {
			continue
		}
		addr, err := parseKernelAddr(words[1])
		if err != nil {
			return nil, err
		}
		inode, err := strconv.ParseUint(words[9], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not an inode", words[9])
		}
		listeners = append(listeners, Listener{Reach{Addr: addr}, inode})
	}
	return listeners, nil
}

// littleEndian is whether this machine stores the low byte of a word first.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// parseKernelAddr reads "0100007F:1F90": each four bytes of the address are a word in this
// machine's byte order.
func parseKernelAddr(text string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(text, ":")
	bytes, err := hex.DecodeString(host)
	number, portErr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || portErr != nil || len(bytes) != 4 && len(bytes) != 16 {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address of the kernel's table", text)
	}
	for word := range slices.Chunk(bytes, 4) {
		if littleEndian {
			slices.Reverse(word)
		}
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), nil
}
