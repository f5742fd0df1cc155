package vagrant

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

// TestProvisionedConfigurations: what provision.sh asks of `hawser-lab conf` is there for each
// machine, with the addresses that the script gives them.
func TestProvisionedConfigurations(t *testing.T) {
	script, err := os.ReadFile("provision.sh")
	require.NoError(t, err)
	asked := map[string]bool{}
	for _, m := range regexp.MustCompile(`laboratory conf (\S+) "\$name"`).FindAllStringSubmatch(string(script), -1) {
		asked[m[1]] = true
	}
	require.Equal(t, map[string]bool{"haproxy.cfg": true, "nginx.conf": true}, asked)
	for name, file := range map[string]string{
		"lb-1": "haproxy.cfg", "lb-2": "haproxy.cfg", "lb-3": "haproxy.cfg", "app-1": "nginx.conf", "app-2": "nginx.conf",
	} {
		text, err := lab.Options{}.Generate(file, name)
		require.NoError(t, err)
		for _, address := range regexp.MustCompile(`10\.132\.[0-9.]+`).FindAllString(text, -1) {
			host := strings.TrimPrefix(address, "10.132.0.")
			require.Regexp(
				t,
				`10\.132\.0\.%s.* `+host+` `,
				string(script),
				"%s of %s",
				address,
				name,
			)
		}
	}
}
