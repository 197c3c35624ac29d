package config

import "testing"

func TestLoad(t *testing.T) {
	tests := []struct {
		name string
		args []string
		port string
		want string
	}{
		{"nothing set", nil, "", ":8080"},
		{"PORT", nil, "9000", ":9000"},
		{"flag", []string{"-addr", "localhost:7000"}, "", "localhost:7000"},
		{"flag wins over PORT", []string{"-addr=:7000"}, "9000", ":7000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			getenv := func(key string) string {
				if key == "PORT" {
					return test.port
				}
				return ""
			}
			cfg, err := Load(test.args, getenv)
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Addr != test.want {
				t.Errorf("Addr = %q, want %q", cfg.Addr, test.want)
			}
		})
	}
}

func TestLoadRejectsStrayArguments(t *testing.T) {
	if _, err := Load([]string{"serve"}, func(string) string { return "" }); err == nil {
		t.Error("no error for a stray argument")
	}
}
