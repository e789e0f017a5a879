#include "proxy/command/manifest_draft_store.hpp"

#include "proxy/config/small_file.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>
#include <variant>

namespace archway::proxy {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t draft_bytes_max = 16 * 1024 * 1024;

Error no_such(const resolver::ImageReference& target) {
  return {.code = Errc::manifest_unknown,
          .message = "no such draft: " + target.str() + "; `archway manifest create " +
                     target.str() + " SOURCE...` makes one"};
}

Error storage_failed(const std::string& doing, const fs::path& path, const std::error_code& error) {
  const auto why = error ? error.message() : std::string("not all of it could be written");
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "cannot " + doing + " " + path.string() + ": " + why};
}

}  // namespace

Result<DraftStore> DraftStore::of_user(const Environment& environment) {
  const auto data = environment.variable("XDG_DATA_HOME");
  // A relative path there is to be ignored, says the specification.
  if (data && data->starts_with('/')) return DraftStore(fs::path(*data) / "archway/manifests");
  const auto home = environment.variable("HOME");
  if (home && !home->empty()) {
    return DraftStore(fs::path(*home) / ".local/share/archway/manifests");
  }
  return Error{.code = Errc::configuration_invalid,
               .origin = Origin::configuration,
               .message = "there is no folder for drafts: neither XDG_DATA_HOME nor HOME is set"};
}

fs::path DraftStore::file_of(const resolver::ImageReference& target) const {
  auto name = target.str();
  std::replace(name.begin(), name.end(), '/', '+');  // No image's name has a plus sign.
  return folder_ / (name + ".json");
}

Result<std::optional<Draft>> DraftStore::find(const resolver::ImageReference& target) const {
  const auto path = file_of(target);
  std::error_code error;
  const bool exists = fs::exists(path, error);
  if (error) return storage_failed("read", path, error);
  if (!exists) return std::optional<Draft>();
  const auto file = read_small_file(path, draft_bytes_max);
  if (!file) return file.error();
  auto draft = read_draft(file->text);
  if (!draft) {
    Error damaged = draft.error();
    damaged.message = path.string() + ": " + damaged.message;
    return damaged;
  }
  return std::optional<Draft>(*std::move(draft));
}

Result<Draft> DraftStore::get(const resolver::ImageReference& target) const {
  auto draft = find(target);
  if (!draft) return draft.error();
  if (!*draft) return no_such(target);
  return **std::move(draft);
}

Result<void> DraftStore::save(const Draft& draft) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return storage_failed("make the folder", folder_, error);
  const auto path = file_of(draft.target);
  auto fresh = path;
  fresh += ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << draft_text(draft);
  file.close();
  if (file.fail()) return storage_failed("write", fresh, error);
  fs::rename(fresh, path, error);
  if (error) return storage_failed("write", path, error);
  return {};
}

Result<void> DraftStore::remove(const resolver::ImageReference& target) const {
  const auto path = file_of(target);
  std::error_code error;
  const bool removed = fs::remove(path, error);
  if (error) return storage_failed("remove", path, error);
  if (!removed) return no_such(target);
  return {};
}

Result<resolver::ImageReference> parse_target(std::string_view text) {
  auto target = resolver::parse_image(text);
  if (!target) return target.error();
  if (std::holds_alternative<Tag>(target->reference)) return target;
  return Error{.code = Errc::name_invalid,
               .message = "\"" + std::string(text) +
                          "\" names a digest, which an index that is yet to be made does not "
                          "have; give it a tag"};
}

}  // namespace archway::proxy
