#pragma once

#include <string>

namespace archway::test {

/// As `htpasswd -bBC 4` writes them, for a test's time: alice:canary-wonder, bob:canary-builder.
inline const std::string htpasswd_alice =
    "alice:$2y$04$61ySZSSln6VQFmC1yKS/BeBKCH9biQYAk6tL55y6h3jo/5iAuRIsK\n";
inline const std::string htpasswd_bob =
    "bob:$2y$04$z.OYHVr6hVbMGZi/ht9fdOZ4PlxfiUp0Aqf1saDQbZaVeODhAkNMe\n";

}  // namespace archway::test
