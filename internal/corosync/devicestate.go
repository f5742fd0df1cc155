package corosync

import (
	"context"
	"slices"
	"strings"
)

// DeviceState is what there is of a quorum device, for whoever shows or judges it: status, plan and
// doctor say the same.
type DeviceState struct {
	// Configured says whether there is one. Model is its model; Host and Algorithm are those of
	// model net.
	Configured             bool
	Model, Host, Algorithm string
	// Connected says whether corosync-qdevice of this node has registered the device with Corosync
	// and hears from its server; Votes says whether it gives this node its votes. Both are what
	// Corosync says.
	Connected, Votes bool
}

// DeviceOf says what there is of a quorum device, by the configuration and by what Corosync counts.
func DeviceOf(keys Keys, votes Votes) DeviceState {
	d := DeviceState{Model: keys["quorum.device.model"]}
	if d.Model == "" {
		return DeviceState{}
	}
	d.Configured = true
	d.Host = keys["quorum.device."+d.Model+".host"]
	if d.Model == "net" {
		d.Algorithm = FFSplit
		if word := keys["quorum.device.net.algorithm"]; word != "" {
			d.Algorithm = word
		}
	}
	flags := strings.Split(votes.Device, ",") // "A,V,NMW", or "NR" of one that is not registered
	d.Connected = slices.Contains(votes.Flags, "Qdevice") && slices.Contains(flags, "A")
	d.Votes = d.Connected && slices.Contains(flags, "V")
	return d
}

// AskDevice asks the Corosync of this node. The error is ErrNotRunning if none answers.
func AskDevice(ctx context.Context) (DeviceState, error) {
	keys, err := AskKeys(ctx)
	if err != nil || keys["quorum.device.model"] == "" {
		return DeviceState{}, err
	}
	votes, err := AskVotes(ctx)
	if err != nil {
		return DeviceState{}, err
	}
	return DeviceOf(keys, votes), nil
}

// WithoutThirdPlace is what is to be said of a cluster on two sites that has no quorum device.
const WithoutThirdPlace = "without a third place, a cut stops both sites: neither has a majority " +
	"by itself. `hawser quorum device add HOST`, with HOST at a third place, lets one of them go on " +
	"(/usr/share/doc/hawser/quorum.md)"

// String says it in a line.
func (d DeviceState) String() string {
	switch {
	case !d.Configured:
		return "no quorum device"
	case !d.Connected:
		return "quorum device " + d.at() + ", not connected"
	case !d.Votes:
		return "quorum device " + d.at() + ", connected, and its vote is not for this node"
	}
	return "quorum device " + d.at() + ", connected"
}

func (d DeviceState) at() string {
	if d.Host == "" {
		return d.Model
	}
	return d.Host
}
