package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// comparedSysctls are the kernel parameters that a balancer's behaviour depends on.
var comparedSysctls = []string{
	"net.ipv4.ip_nonlocal_bind", "net.ipv4.tcp_migrate_req", "net.core.somaxconn",
}

// Facts returns what this node should have in common with the others. What cannot be found out is
// left out.
func (n Node) Facts(ctx context.Context) map[string]string {
	facts := map[string]string{doctor.FactHawser: n.Version}
	for _, a := range ourAgents {
		if v, err := agentVersion(ctx, n.file(filepath.Join(resourceD, a.standard))); err == nil {
			facts[doctor.FactAgent+standard(a.standard)] = v
		}
	}
	for _, name := range comparedSysctls {
		if v := n.sysctl(name); v != "" {
			facts[doctor.FactSysctl+name] = v
		}
	}
	if here, err := sbd.Here(n.Root); err == nil {
		facts[doctor.FactSBD] = doctor.SBDFact(here)
	}
	d, err := n.declared(ctx)
	if err != nil {
		return facts
	}
	for _, h := range d.HAProxies {
		if v, err := haproxyVersion(ctx, h.Binary); err == nil {
			facts[doctor.FactHAProxy] = v
		}
		if sources, err := h.Sources(); err == nil {
			facts[doctor.FactConfig+h.Resource] = haproxy.Hash(sources)
		}
	}
	for path := range d.TokenFiles {
		if token, err := n.ReadToken(path); err == nil {
			// Long random words cannot be guessed from a part of their hash.
			sum := sha256.Sum256([]byte("hawser doctor\x00" + token))
			facts[doctor.FactToken+path] = "digest " + hex.EncodeToString(sum[:4])
		}
	}
	return facts
}
