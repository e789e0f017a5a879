#pragma once

#include "proxy/command/manifest_draft.hpp"
#include "proxy/config/environment.hpp"

#include <filesystem>
#include <optional>

namespace archway::proxy {

/// The drafts of this user, one JSON file a target: `FOLDER/localhost:5000+app:1.json`, where `+`
/// stands for the slashes of the name.
class DraftStore {
 public:
  explicit DraftStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// `$XDG_DATA_HOME/archway/manifests`, else `~/.local/share/archway/manifests`.
  /// Errors: Errc::configuration_invalid when neither XDG_DATA_HOME nor HOME is set.
  ///
  /// Source: XDG Base Directory Specification 0.8.
  static Result<DraftStore> of_user(const Environment& environment);

  std::filesystem::path file_of(const resolver::ImageReference& target) const;

  /// None when there is no such draft. Errors: Errc::manifest_invalid, Errc::storage_failed.
  Result<std::optional<Draft>> find(const resolver::ImageReference& target) const;
  /// Errors: as find(); Errc::manifest_unknown when there is none.
  Result<Draft> get(const resolver::ImageReference& target) const;
  /// Whole or not at all. Errors: Errc::storage_failed.
  Result<void> save(const Draft& draft) const;
  /// Errors: Errc::manifest_unknown, Errc::storage_failed.
  Result<void> remove(const resolver::ImageReference& target) const;

 private:
  std::filesystem::path folder_;
};

/// Reads the name of an index to be made. Errors: Errc::name_invalid, also for a digest: what is
/// yet to be made has none.
Result<resolver::ImageReference> parse_target(std::string_view text);

}  // namespace archway::proxy
