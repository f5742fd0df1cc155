package pacemaker

import (
	"context"
	"fmt"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
)

// TokenInCIB returns the check for tokens that are written into the configuration.
func TokenInCIB(declared func(context.Context) (inventory.Declared, error)) doctor.Check {
	return doctor.Check{
		Name: "token-in-cib",
		Short: "a token written into the cluster's configuration (token, " +
			"do_token)",
		Worst:  doctor.Warning,
		Why:    "every node, every backup and everybody who may read the configuration has it",
		Remedy: "hawser configure, with token_file in place of do_token; or cibsecret set",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			d, err := declared(ctx)
			if err != nil {
				return nil, err
			}
			var found []doctor.Finding
			for _, a := range d.Addresses {
				if a.TokenInCIB {
					found = append(found, doctor.Finding{
						Severity: doctor.Warning, Subject: a.Resource,
						What: fmt.Sprintf(
							"the token of %s is in the cluster's configuration in clear text",
							a.Resource),
						Why: "every node, every backup of the CIB and everybody in the group " +
							"haclient has it",
						Fix: []string{
							"install -D -m 0600 -o root -g root /dev/stdin " + inventory.TokenFile +
								"   # on every node; a new token, since the old one may have " +
								"been read",
							doctor.Define(a.WithTokenFile()) +
								"   # once the file is on every node: " + a.Resource +
								" is started again with it",
						},
					})
				}
			}
			return found, nil
		},
	}
}
