package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

// parameters that each agent must show in every tool.
var parameters = map[string][]string{
	"haproxy": {"binpath", "conffile", "extraconf", "check_url", "check_timeout", "min_servers", "stop_grace", "anchor_ip", "private_ip"},
	"floatip": {"ip", "floating_ip", "provider", "token_file", "token", "do_token", "nic", "cidr_netmask", "api_url", "metadata_url"},
}

// TestOCFTester runs Debian's ocf-tester on both agents with real resources: HAProxy with the tutorial's configuration, an address
// of the cloud, an address of the LAN.
func TestOCFTester(t *testing.T) {
	c := fresh(t)
	for name, args := range map[string][]string{
		"haproxy":              {"/usr/lib/ocf/resource.d/hawser/haproxy"},
		"floatip digitalocean": {"-o", "ip=" + floatingIP, "-o", "token_file=/etc/hawser/token", "/usr/lib/ocf/resource.d/hawser/floatip"},
		"floatip digitalocean IPv6": {
			"-o", "ip=" + lab.FloatingIP6.String(), "-o", "token_file=/etc/hawser/token", "/usr/lib/ocf/resource.d/hawser/floatip",
		},
		"floatip lan":          {"-o", "ip=198.51.100.200", "-o", "provider=lan", "/usr/lib/ocf/resource.d/hawser/floatip"},
		"floatip lan IPv6":     {"-o", "ip=2001:db8:1::200", "-o", "provider=lan", "/usr/lib/ocf/resource.d/hawser/floatip"},
		"the tutorial's names": {"-o", "floating_ip=" + floatingIP, "-o", "do_token=" + c.token(), "/usr/lib/ocf/resource.d/digitalocean/floatip"},
	} {
		t.Run(name, func(t *testing.T) {
			out := c.run(t, "lb-1", append([]string{"ocf-tester", "-v", "-n", "tested"}, args...)...)
			require.Contains(t, out, "passed all tests")
			require.NotContains(t, out, "does not conform")
		})
	}
}

// TestMetaDataInEveryTool shows that every reader of an agent's meta-data sees every parameter:
// crmsh, pcs, Pacemaker, and the schema of OCF 1.1 that pcs ships.
func TestMetaDataInEveryTool(t *testing.T) {
	c := fresh(t)
	for agent, names := range parameters {
		id := "ocf:hawser:" + agent
		for tool, out := range map[string]string{
			"crmsh":     c.run(t, "lb-1", "crm", "ra", "info", id),
			"pcs":       c.run(t, "lb-1", "pcs", "resource", "describe", "--full", id),
			"pacemaker": c.run(t, "lb-1", "crm_resource", "--show-metadata", id),
		} {
			for _, name := range names {
				require.Regexp(t, `(?m)(^|\W)`+name+`\W`, out, "%s shows %s of %s", tool, name, id)
			}
		}
		meta := c.run(t, "lb-1", "/usr/lib/ocf/resource.d/hawser/"+agent, "meta-data")
		err := c.Run(t.Context(), "lb-1", lab.Command{
			Args:  []string{"xmllint", "--noout", "--relaxng", "/usr/share/pcs/data/ocf-1.1.rng", "-"},
			Stdin: strings.NewReader(meta),
		})
		require.NoError(t, err, meta)
	}
}
