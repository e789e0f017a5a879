#include "proxy/pull/filter.hpp"

#include "proxy/pull/keep_manifest.hpp"
#include "resolver/index_bytes.hpp"

#include <utility>

namespace archway::proxy {

boost::asio::awaitable<Result<StoredManifest>> obtain_filtered(PullParts* parts, ImageName image,
                                                               StoredManifest index,
                                                               std::vector<std::size_t> kept) {
  auto bytes = resolver::filtered_index(*index.bytes, kept);
  if (!bytes) co_return bytes.error();
  co_return co_await keep_made(parts, std::move(image), index.media_type, *std::move(bytes));
}

}  // namespace archway::proxy
