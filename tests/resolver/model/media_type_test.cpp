#include "resolver/model/media_type.hpp"

#include <doctest/doctest.h>
#include <string>

using archway::kind_of;
using archway::ManifestKind;

TEST_CASE("a media type says whether bytes are an index, a manifest or neither") {
  struct Row {
    std::string why;
    std::string_view type;
    ManifestKind want;
  };
  const Row rows[] = {
      {"OCI index", "application/vnd.oci.image.index.v1+json", ManifestKind::index},
      {"Docker list", "application/vnd.docker.distribution.manifest.list.v2+json",
       ManifestKind::index},
      {"OCI manifest", "application/vnd.oci.image.manifest.v1+json", ManifestKind::manifest},
      {"Docker manifest", "application/vnd.docker.distribution.manifest.v2+json",
       ManifestKind::manifest},
      {"schema 1", "application/vnd.docker.distribution.manifest.v1+prettyjws",
       ManifestKind::other},
      {"an OCI config", "application/vnd.oci.image.config.v1+json", ManifestKind::other},
      {"the retired artifact manifest", "application/vnd.oci.artifact.manifest.v1+json",
       ManifestKind::other},
      {"any JSON", "application/json", ManifestKind::other},
      {"nothing", "", ManifestKind::other},
      {"with parameters: cut them off before", "application/vnd.oci.image.index.v1+json; a=b",
       ManifestKind::other},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(kind_of(row.type) == row.want);
  }
}
