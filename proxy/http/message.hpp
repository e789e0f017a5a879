#pragma once

#include "cache/blob_file.hpp"
#include "cache/fill.hpp"
#include "resolver/model/error.hpp"
#include "resolver/model/platform.hpp"
#include "resolver/network.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace archway::proxy {

/// Header fields in their order; names compare without case. Repeated lines stay apart.
class Fields {
 public:
  void add(std::string_view name, std::string_view value);
  /// The first value, or "" when there is none.
  std::string_view find(std::string_view name) const;
  bool contains(std::string_view name) const;
  /// Every line of that name, in order.
  std::vector<std::string_view> all(std::string_view name) const;

  auto begin() const { return lines_.begin(); }
  auto end() const { return lines_.end(); }
  std::size_t size() const { return lines_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

bool equal_without_case(std::string_view a, std::string_view b);

/// What is known of the connection a request came on.
struct Peer {
  resolver::Address address;                  ///< of the client
  std::optional<Platform> listener_platform;  ///< "everyone on this port"
  bool tls = false;
  std::string server_name;  ///< SNI, "" without
  std::string certificate;  ///< verified subject common name, "" without
};

/// `put`, `del` (DELETE) and `other` are turned away by whoever serves clients; the operator's port
/// takes the first two, without a body.
enum class Method : std::uint8_t { get, head, put, del, other };

/// A request head that passed the envelope check; none that is answered has a body.
struct Request {
  Method method = Method::get;
  std::string target;  ///< origin form
  Fields fields;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool entered = false;  ///< its Authorization was archway's own affair, and is gone
  std::shared_ptr<const Peer> peer;
};

class ByteSource;
class PageReader;
class Reuse;

/// Part of a complete blob.
struct FileBody {
  cache::BlobFile blob;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  /// Called when the file cannot be read, or is shorter than it was: the connection is reset.
  /// Must not block.
  std::function<void(const std::string& why)> damaged = {};
  PageReader* pages = nullptr;  ///< reads what is not in memory; nullptr: the loop waits for it
};

/// A fill from `offset` on, as it arrives; `length` is known when the whole's size is. When the
/// fill fails the connection is reset, so that the client sees a broken transfer; unless it was the
/// disk that failed, and somebody can go on without it.
struct GrowingBody {
  std::shared_ptr<cache::Fill> fill;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length = {};
  /// Where the bytes of the blob from `at` on come from after `why`, a storage failure that ended
  /// the fill; null: from nowhere.
  std::function<std::shared_ptr<ByteSource>(std::uint64_t at, const Error& why)> otherwise = {};
  PageReader* pages = nullptr;  ///< as a FileBody's
};

/// What comes from a source and is never on the disk; `length` where it is known.
struct RelayBody {
  std::shared_ptr<ByteSource> source;
  std::optional<std::uint64_t> length = {};
};

/// Bytes that may be shared by many answers at once.
using BytesBody = std::shared_ptr<const std::string>;

/// How a response went out: what the access log and the metrics tell.
struct Sent {
  std::uint64_t body_bytes = 0;
  bool complete = false;  ///< all of it left
};

/// An answer. The connection adds Content-Length (or chunked coding), Connection and Date, and
/// leaves the body out for HEAD.
struct Response {
  std::uint16_t status = 200;
  Fields fields = {};
  std::variant<BytesBody, FileBody, GrowingBody, RelayBody> body = BytesBody{};
  bool close = false;                             ///< this connection ends with this answer
  std::function<void(const Sent&)> on_sent = {};  ///< called once, when it has left or failed to
  /// Set where the same request may be given the same answer again.
  std::shared_ptr<const Reuse> reuse = {};

  /// What Content-Length says; none for a body of unknown size.
  std::optional<std::uint64_t> length() const;
};

BytesBody bytes_body(std::string text);

}  // namespace archway::proxy
