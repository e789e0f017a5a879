#include "proxy/command/tar_file.hpp"

#include "resolver/model/digest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = 512;
constexpr std::size_t piece_bytes = 1 << 20;
/// A long name, or a record of extended fields: nobody needs more.
constexpr std::uint64_t extra_bytes_max = 64 * 1024;

using Block = std::array<char, block_bytes>;

struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field name_field{0, 100};
constexpr Field mode_field{100, 8};
constexpr Field owner_field{108, 8};
constexpr Field group_field{116, 8};
constexpr Field size_field{124, 12};
constexpr Field time_field{136, 12};
constexpr Field sum_field{148, 8};
constexpr std::size_t kind_at = 156;
constexpr Field magic_field{257, 8};
constexpr Field prefix_field{345, 155};

constexpr char plain_file = '0';
constexpr char gnu_long_name = 'L';
constexpr char extended = 'x';

Error failed(const fs::path& path, int error) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = path.string() + ": " + std::system_category().message(error)};
}

Error no_tar(const fs::path& path, const std::string& why) {
  return {.code = Errc::request_invalid,
          .message = path.string() + " is no whole tar file: " + why};
}

std::uint64_t padding(std::uint64_t size) {
  return (block_bytes - size % block_bytes) % block_bytes;
}

void put_text(Block& block, Field field, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), field.size), block.begin() + field.at);
}

/// Octal digits and a NUL.
void put_number(Block& block, Field field, std::uint64_t number) {
  block.at(field.at + field.size - 1) = '\0';
  for (std::size_t i = field.size - 1; i-- > 0; number /= 8) {
    block.at(field.at + i) = static_cast<char>('0' + number % 8);
  }
}

/// What the octal digits cannot say is binary, the first byte marked.
void put_size(Block& block, std::uint64_t size) {
  if (size < 1ULL << 33) return put_number(block, size_field, size);
  for (std::size_t i = size_field.size; i-- > 0; size /= 256) {
    block.at(size_field.at + i) = static_cast<char>(size % 256);
  }
  block.at(size_field.at) = '\x80';
}

/// The sum of the block's bytes, its own field read as blanks.
std::uint64_t sum_of(Block block) {
  std::fill_n(block.begin() + sum_field.at, sum_field.size, ' ');
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  return sum;
}

Block header(std::string_view name, std::uint64_t size, char kind) {
  Block block{};
  put_text(block, name_field, name);
  put_number(block, mode_field, 0644);
  put_number(block, owner_field, 0);
  put_number(block, group_field, 0);
  put_size(block, size);
  put_number(block, time_field, 0);  // The same bytes for the same images.
  block.at(kind_at) = kind;
  put_text(block, magic_field, std::string_view("ustar\00000", 8));
  put_number(block, {sum_field.at, sum_field.size - 1}, sum_of(block));
  block.at(sum_field.at + sum_field.size - 1) = ' ';
  return block;
}

std::string text_in(const Block& block, Field field) {
  const auto* const begin = block.data() + field.at;
  return {begin, ::strnlen(begin, field.size)};
}

std::optional<std::uint64_t> number_in(const Block& block, Field field) {
  std::uint64_t number = 0;
  if ((static_cast<unsigned char>(block.at(field.at)) & 0x80U) != 0) {
    for (std::size_t i = 1; i < field.size; ++i) {
      if (number >> 55U != 0) return std::nullopt;
      number = number * 256 + static_cast<unsigned char>(block.at(field.at + i));
    }
    return number;
  }
  bool any = false;
  for (const char c : text_in(block, field)) {
    if (c == ' ' && !any) continue;
    if (c == ' ') break;
    if (c < '0' || c > '7') return std::nullopt;
    any = true;
    number = number * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

/// The file's place in a layout, if it has one.
std::optional<fs::path> place_of(std::string_view name) {
  if (name.starts_with("./")) name.remove_prefix(2);
  if (name == "oci-layout" || name == "index.json") return fs::path(name);
  constexpr std::string_view blobs = "blobs/";
  if (!name.starts_with(blobs)) return std::nullopt;
  std::string digest(name.substr(blobs.size()));
  const auto slash = digest.find('/');
  if (slash == std::string::npos) return std::nullopt;
  digest[slash] = ':';
  if (!Digest::parse(digest)) return std::nullopt;
  return fs::path(name);
}

/// The value of a field in records of the form `LENGTH NAME=VALUE\n`.
std::optional<std::string> extended_value(std::string_view records, std::string_view wanted) {
  std::optional<std::string> value;
  while (!records.empty()) {
    const auto end = std::min(records.find('\n'), records.size());
    const auto record = records.substr(0, end);
    const auto blank = record.find(' ');
    const auto sign = record.find('=');
    if (blank < sign && sign != std::string_view::npos &&
        record.substr(blank + 1, sign - blank - 1) == wanted) {
      value = record.substr(sign + 1);
    }
    records.remove_prefix(std::min(end + 1, records.size()));
  }
  return value;
}

class Packer {
 public:
  explicit Packer(fs::path path) : path_(std::move(path)), out_(path_, std::ios::binary) {}

  Result<void> add(const fs::path& file, const std::string& name) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error) return failed(file, error.value());
    if (name.size() > name_field.size) {
      write(header("././@LongLink", name.size() + 1, gnu_long_name));
      out_.write(name.c_str(), static_cast<std::streamsize>(name.size() + 1));
      pad(name.size() + 1);
    }
    write(header(name, size, plain_file));
    std::ifstream in(file, std::ios::binary);
    std::vector<char> piece(piece_bytes);
    std::uint64_t left = size;
    while (left > 0 && out_) {
      in.read(piece.data(),
              static_cast<std::streamsize>(std::min<std::uint64_t>(left, piece.size())));
      if (in.gcount() <= 0) return failed(file, EIO);
      out_.write(piece.data(), in.gcount());
      left -= static_cast<std::uint64_t>(in.gcount());
    }
    pad(size);
    return out_ ? Result<void>{} : failed(path_, errno);
  }

  Result<void> finish() {
    write(Block{});
    write(Block{});
    out_.close();
    if (!out_) return failed(path_, errno);
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return synced ? Result<void>{} : failed(path_, error);
  }

 private:
  void write(const Block& block) { out_.write(block.data(), block_bytes); }
  void pad(std::uint64_t size) {
    const Block nothing{};
    out_.write(nothing.data(), static_cast<std::streamsize>(padding(size)));
  }

  fs::path path_;
  std::ofstream out_;
};

class Unpacker {
 public:
  explicit Unpacker(fs::path path) : path_(std::move(path)), in_(path_, std::ios::binary) {}

  Result<void> into(const fs::path& folder) {
    if (!in_) return failed(path_, errno);
    for (bool first = true;; first = false) {
      Block block{};
      in_.read(block.data(), block_bytes);
      // Two empty blocks end it; some leave them out.
      if (in_.gcount() == 0 && !first) return {};
      if (in_.gcount() != block_bytes) return no_tar(path_, "it ends in the middle of a head");
      if (block == Block{} && !first) return {};
      const auto sum = number_in(block, sum_field);
      const auto size = number_in(block, size_field);
      if (!sum || *sum != sum_of(block) || !size) return no_tar(path_, "a head is damaged");
      if (auto taken = take(block, *size, folder); !taken) return taken;
    }
  }

 private:
  Result<void> take(const Block& block, std::uint64_t size, const fs::path& folder) {
    const char kind = block.at(kind_at);
    if (kind == gnu_long_name || kind == extended) return read_extra(kind, size);
    const auto prefix = text_in(block, prefix_field);
    auto name = std::exchange(long_name_, std::nullopt)
                    .value_or((prefix.empty() ? "" : prefix + "/") + text_in(block, name_field));
    size = std::exchange(long_size_, std::nullopt).value_or(size);
    const bool plain = kind == plain_file || kind == '\0';
    const auto place = plain ? place_of(name) : std::nullopt;
    return copy(size, place ? folder / *place : fs::path());
  }

  /// What is said of the next file.
  Result<void> read_extra(char kind, std::uint64_t size) {
    if (size > extra_bytes_max) return no_tar(path_, "a name is too long");
    std::string text(size, '\0');
    in_.read(text.data(), static_cast<std::streamsize>(size));
    in_.ignore(static_cast<std::streamsize>(padding(size)));
    if (!in_) return no_tar(path_, "it ends in the middle of a name");
    if (kind == gnu_long_name) {
      long_name_ = text.substr(0, text.find('\0'));
      return {};
    }
    if (auto name = extended_value(text, "path")) long_name_ = *std::move(name);
    if (const auto number = extended_value(text, "size")) {
      if (number->empty() || number->size() > 18 ||
          number->find_first_not_of("0123456789") != std::string::npos) {
        return no_tar(path_, "a size is no number");
      }
      long_size_ = std::stoull(*number);
    }
    return {};
  }

  /// To nowhere when there is no place for it.
  Result<void> copy(std::uint64_t size, const fs::path& to) {
    std::ofstream out;
    if (!to.empty()) {
      std::error_code error;
      fs::create_directories(to.parent_path(), error);
      if (error) return failed(to.parent_path(), error.value());
      out.open(to, std::ios::binary | std::ios::trunc);
      if (!out) return failed(to, errno);
    }
    std::vector<char> piece(piece_bytes);
    for (std::uint64_t left = size; left > 0;) {
      in_.read(piece.data(),
               static_cast<std::streamsize>(std::min<std::uint64_t>(left, piece.size())));
      if (in_.gcount() <= 0) return no_tar(path_, "it ends in the middle of a file");
      if (out.is_open() && !out.write(piece.data(), in_.gcount())) return failed(to, errno);
      left -= static_cast<std::uint64_t>(in_.gcount());
    }
    in_.ignore(static_cast<std::streamsize>(padding(size)));
    if (out.is_open()) out.close();
    return out ? Result<void>{} : failed(to, errno);
  }

  fs::path path_;
  std::ifstream in_;
  std::optional<std::string> long_name_;  // Of the next file.
  std::optional<std::uint64_t> long_size_;
};

/// Names of plain files in a layout, the small ones first: who reads a stream knows what comes.
Result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const auto name = at->path().lexically_relative(folder).generic_string();
    if (at->is_regular_file(error) && place_of(name)) names.push_back(name);
  }
  if (error) return failed(folder, error.value());
  const auto rank = [](const std::string& name) {
    return name == "oci-layout" ? 0 : (name == "index.json" ? 1 : 2);
  };
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return std::pair(rank(a), a) < std::pair(rank(b), b);
  });
  return names;
}

}  // namespace

Result<void> pack_tar(const fs::path& folder, const fs::path& tar) {
  const auto names = names_in(folder);
  if (!names) return names.error();
  auto unfinished = tar;
  unfinished += ".part";
  Packer packer(unfinished);
  for (const auto& name : *names) {
    if (auto added = packer.add(folder / name, name); !added) return added;
  }
  if (auto finished = packer.finish(); !finished) return finished;
  std::error_code error;
  fs::rename(unfinished, tar, error);
  return error ? failed(tar, error.value()) : Result<void>{};
}

Result<void> unpack_tar(const fs::path& tar, const fs::path& folder) {
  return Unpacker(tar).into(folder);
}

}  // namespace archway::proxy
