#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("Talos gets a document for all registries, or one for each") {
  CHECK(text_of(talos_files(wish_for("linux/arm64"))) ==
        "apiVersion: v1alpha1\nkind: RegistryMirrorConfig\nname: \"*\"\nendpoints:\n"
        "  - url: \"http://127.0.0.1:5000/v2/platform/linux-arm64\"\n    overridePath: true\n");
  CHECK(text_of(talos_files(wish_for(nullptr, {"docker.io", "ghcr.io"}))) ==
        "apiVersion: v1alpha1\nkind: RegistryMirrorConfig\nname: \"docker.io\"\nendpoints:\n"
        "  - url: \"http://127.0.0.1:5000\"\n---\n"
        "apiVersion: v1alpha1\nkind: RegistryMirrorConfig\nname: \"ghcr.io\"\nendpoints:\n"
        "  - url: \"http://127.0.0.1:5000\"\n");
  const auto made = files_of(talos_files(wish_for()));
  CHECK(made.files[0].path == "archway.yaml");
  CHECK(made.next.starts_with("talosctl patch machineconfig "));
  check_no_build_in_path(talos_files);
}

}  // namespace
}  // namespace archway::proxy
