package corosync

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// NetworkTiming returns the times for a network, by its name.
func NetworkTiming(name string) (Timing, error) {
	switch name {
	case "lan":
		return LAN, nil
	case "cloud":
		return Cloud, nil
	}
	return Timing{}, fmt.Errorf("%q: the networks known are lan and cloud", name)
}

// The shortest and the longest token that Described takes, in milliseconds.
const leastToken, mostToken = 100, 999_999

// Described is a cluster as it is described on a command line.
type Described struct {
	Name    string
	Network string   // "" is cloud, if there is no token
	Token   *int     // in milliseconds, instead of a network's times
	Nodes   []string // NAME=ADDRESS[,ADDRESS2…]
	Device  *Device  // nil if there is none
}

// Cluster returns the cluster, encrypted.
func (d Described) Cluster() (Cluster, error) {
	cluster := Cluster{Name: d.Name, Cipher: "aes256", Hash: "sha256", Device: d.Device}
	switch {
	case d.Network != "" && d.Token != nil:
		return cluster, errors.New("--network and --token both set Corosync's times: give one of them")
	case d.Token != nil:
		if ms := *d.Token; ms < leastToken || ms > mostToken {
			return cluster, fmt.Errorf("--token %d: give milliseconds, %d to %d", ms, leastToken, mostToken)
		}
		cluster.Timing = Timing{
			Token: time.Duration(*d.Token) * time.Millisecond, Coefficient: Default,
		}
	default:
		network := d.Network
		if network == "" {
			network = "cloud"
		}
		timing, err := NetworkTiming(network)
		if err != nil {
			return cluster, fmt.Errorf("--network %w", err)
		}
		cluster.Timing = timing
	}
	for _, word := range d.Nodes {
		name, addresses, ok := strings.Cut(word, "=")
		if !ok {
			return cluster, fmt.Errorf("--node %q is not NAME=ADDRESS", word)
		}
		cluster.Nodes = append(cluster.Nodes, Member{Name: name, Addresses: strings.Split(addresses, ",")})
	}
	if len(cluster.Nodes) == 0 {
		return cluster, errors.New("which nodes? give --node NAME=ADDRESS for each")
	}
	return cluster, cluster.Validate()
}
