#include "proxy/command/oci_layout.hpp"

#include "cache/hasher.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_json.hpp"
#include "proxy/config/small_file.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t index_bytes_max = 16 * 1024 * 1024;
constexpr const char* version_text = R"({"imageLayoutVersion":"1.0.0"})";
constexpr const char* tag_annotation = "org.opencontainers.image.ref.name";
constexpr const char* name_annotation = "io.containerd.image.name";

Error failed(const fs::path& path, int error) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = path.string() + ": " + std::system_category().message(error)};
}

/// A file that takes its name once it is whole.
class NewFile final : public BlobTaker {
 public:
  static Result<std::unique_ptr<NewFile>> make(fs::path path) {
    auto unfinished = path;
    unfinished += ".part";
    const int fd = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return failed(unfinished, errno);
    return std::make_unique<NewFile>(fd, std::move(path), std::move(unfinished));
  }

  NewFile(int fd, fs::path path, fs::path unfinished)
      : fd_(fd), path_(std::move(path)), unfinished_(std::move(unfinished)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() override {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(unfinished_.c_str());
  }

  Result<void> take(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed(unfinished_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> finish() override {
    if (::fsync(fd_) != 0) return failed(unfinished_, errno);
    if (::rename(unfinished_.c_str(), path_.c_str()) != 0) return failed(path_, errno);
    ::close(fd_);
    fd_ = -1;
    return {};
  }

 private:
  int fd_;
  fs::path path_;
  fs::path unfinished_;
};

Result<void> write_file(const fs::path& path, std::string_view text) {
  auto file = NewFile::make(path);
  if (!file) return file.error();
  const auto taken =
      (*file)->take({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  if (!taken) return taken;
  return (*file)->finish();
}

std::string full_name(const boost::json::value& entry) {
  if (!entry.is_object()) return "";
  return text_in(object_in(entry.get_object(), "annotations"), name_annotation);
}

}  // namespace

Result<OciLayout> OciLayout::open(fs::path folder) {
  OciLayout layout(std::move(folder));
  std::error_code error;
  const bool there = fs::exists(layout.folder_ / "oci-layout", error);
  if (!there && fs::exists(layout.folder_, error) && !fs::is_empty(layout.folder_, error)) {
    return Error{.code = Errc::request_invalid,
                 .message = layout.folder_.string() +
                            " is no empty folder and no OCI image layout; allowed: either, or one "
                            "that is not there yet"};
  }
  fs::create_directories(layout.folder_ / "blobs" / "sha256", error);
  if (error) return failed(layout.folder_, error.value());
  if (there) {
    const auto read = layout.read_index();
    if (!read) return read.error();
  }
  const auto written = write_file(layout.folder_ / "oci-layout", version_text);
  if (!written) return written.error();
  return layout;
}

Result<void> OciLayout::read_index() {
  const auto path = folder_ / "index.json";
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const auto file = read_small_file(path, index_bytes_max);
  if (!file) return file.error();
  auto document = parse_json(file->text);
  if (!document || !document->is_object()) {
    return Error{.code = Errc::request_invalid, .message = path.string() + " is no image index"};
  }
  manifests_ = list_in(document->get_object(), "manifests");
  return {};
}

fs::path OciLayout::path_of(const Digest& digest) const {
  return folder_ / "blobs" / std::string(digest.algorithm_name()) / digest.hex();
}

bool OciLayout::has(const Descriptor& blob) const {
  std::error_code error;
  const auto path = path_of(blob.digest);
  if (fs::file_size(path, error) != blob.size || error) return false;
  std::ifstream file(path, std::ios::binary);
  cache::Hasher hasher(blob.digest.algorithm());
  std::array<char, 64 * 1024> buffer{};
  while (file) {
    file.read(buffer.data(), buffer.size());
    hasher.update({reinterpret_cast<const std::uint8_t*>(buffer.data()),
                   static_cast<std::size_t>(file.gcount())});
  }
  const auto found = hasher.finish();
  return found && *found == blob.digest;
}

Result<void> OciLayout::put(const Digest& digest, std::string_view bytes) const {
  auto made = taker(digest);
  if (!made) return made.error();
  const auto taken =
      (*made)->take({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!taken) return taken;
  return (*made)->finish();
}

Result<std::unique_ptr<BlobTaker>> OciLayout::taker(const Digest& digest) const {
  const auto path = path_of(digest);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return failed(path, error.value());
  auto file = NewFile::make(path);
  if (!file) return file.error();
  return std::unique_ptr<BlobTaker>(*std::move(file));
}

void OciLayout::name(const resolver::ImageReference& image, const std::string& media_type,
                     const Digest& digest, std::uint64_t size) {
  const auto full = image.str();
  boost::json::object annotations{{name_annotation, full}};
  if (const auto* tag = std::get_if<Tag>(&image.reference)) {
    annotations[tag_annotation] = tag->str();
  }
  boost::json::array others;
  for (const auto& entry : manifests_) {
    if (full_name(entry) != full) others.push_back(entry);
  }
  others.push_back(boost::json::object{{"mediaType", media_type},
                                       {"digest", digest.str()},
                                       {"size", size},
                                       {"annotations", std::move(annotations)}});
  manifests_ = std::move(others);
}

Result<void> OciLayout::save() const {
  const boost::json::object index{{"schemaVersion", 2},
                                  {"mediaType", "application/vnd.oci.image.index.v1+json"},
                                  {"manifests", manifests_}};
  return write_file(folder_ / "index.json", boost::json::serialize(index));
}

}  // namespace archway::proxy
