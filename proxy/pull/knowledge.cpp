#include "proxy/pull/knowledge.hpp"

#include "proxy/pull/parts.hpp"

namespace archway::proxy {

Knowledge Knowledge::of(const PullShared& shared) {
  return {.index = shared.cache->index().commits(),
          .virtual_images = shared.virtual_images.changes(),
          .single_images = shared.single_platforms.learnt()};
}

}  // namespace archway::proxy
