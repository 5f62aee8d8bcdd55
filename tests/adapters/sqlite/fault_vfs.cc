#include "adapters/sqlite/fault_vfs.h"

#include <filesystem>
#include <fstream>
#include <new>

#include "support/process.h"

namespace cc::test {
namespace {

struct File {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string* path;
  // The system's file follows in the same allocation.
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File* own(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
FaultVfs* owner(sqlite3_vfs* vfs) { return static_cast<FaultVfs*>(vfs->pAppData); }

void carry_out(std::vector<std::uint8_t>& content, const FaultVfs::Change& change) {
  if (change.truncate) {
    content.resize(change.offset);
    return;
  }
  if (content.size() < change.offset + change.bytes.size()) {
    content.resize(change.offset + change.bytes.size());
  }
  std::copy(change.bytes.begin(), change.bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

int x_close(sqlite3_file* file) {
  const int code = own(file)->real()->pMethods->xClose(own(file)->real());
  delete own(file)->path;
  return code;
}
int x_read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return own(file)->real()->pMethods->xRead(own(file)->real(), to, size, offset);
}
int x_write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  if (const int code = own(file)->vfs->before(SQLITE_IOERR_WRITE); code != SQLITE_OK) {
    return code;
  }
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  own(file)
      ->vfs->image(*own(file)->path)
      .pending.push_back({false, static_cast<std::uint64_t>(offset), {bytes, bytes + size}});
  return own(file)->real()->pMethods->xWrite(own(file)->real(), from, size, offset);
}
int x_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = own(file)->vfs->before(SQLITE_IOERR_TRUNCATE); code != SQLITE_OK) {
    return code;
  }
  own(file)->vfs->image(*own(file)->path).pending.push_back({true, static_cast<std::uint64_t>(size), {}});
  return own(file)->real()->pMethods->xTruncate(own(file)->real(), size);
}
int x_sync(sqlite3_file* file, int) {
  FaultVfs::Image& image = own(file)->vfs->image(*own(file)->path);
  if (const int code = own(file)->vfs->before(SQLITE_IOERR_FSYNC); code != SQLITE_OK) {
    if (own(file)->vfs->loses_pages()) {
      image.pending.clear();
    }
    return code;
  }
  for (const FaultVfs::Change& change : image.pending) {
    carry_out(image.flushed, change);
  }
  image.pending.clear();
  // The image is the disk of these tests; a real flush would only make them slow.
  return SQLITE_OK;
}
int x_file_size(sqlite3_file* file, sqlite3_int64* size) {
  return own(file)->real()->pMethods->xFileSize(own(file)->real(), size);
}
int x_lock(sqlite3_file* file, int level) { return own(file)->real()->pMethods->xLock(own(file)->real(), level); }
int x_unlock(sqlite3_file* file, int level) { return own(file)->real()->pMethods->xUnlock(own(file)->real(), level); }
int x_check_reserved(sqlite3_file* file, int* out) {
  return own(file)->real()->pMethods->xCheckReservedLock(own(file)->real(), out);
}
int x_control(sqlite3_file* file, int op, void* argument) {
  return own(file)->real()->pMethods->xFileControl(own(file)->real(), op, argument);
}
int x_sector_size(sqlite3_file* file) { return own(file)->real()->pMethods->xSectorSize(own(file)->real()); }
int x_characteristics(sqlite3_file* file) {
  return own(file)->real()->pMethods->xDeviceCharacteristics(own(file)->real());
}
int x_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  return own(file)->real()->pMethods->xShmMap(own(file)->real(), page, size, extend, to);
}
int x_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return own(file)->real()->pMethods->xShmLock(own(file)->real(), offset, count, flags);
}
void x_shm_barrier(sqlite3_file* file) { own(file)->real()->pMethods->xShmBarrier(own(file)->real()); }
int x_shm_unmap(sqlite3_file* file, int remove) {
  return own(file)->real()->pMethods->xShmUnmap(own(file)->real(), remove);
}

constexpr sqlite3_io_methods kMethods{
    2,           x_close,          x_read,    x_write,       x_truncate,        x_sync,    x_file_size, x_lock,
    x_unlock,    x_check_reserved, x_control, x_sector_size, x_characteristics, x_shm_map, x_shm_lock,  x_shm_barrier,
    x_shm_unmap, nullptr,          nullptr};

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* mine = own(file);
  mine->base.pMethods = nullptr;
  mine->vfs = owner(vfs);
  sqlite3_vfs* system = owner(vfs)->system();
  const int code = system->xOpen(system, name, mine->real(), flags, out_flags);
  if (code == SQLITE_OK) {
    mine->path = new std::string(name == nullptr ? "" : name);
    mine->vfs->image(*mine->path);
    mine->base.pMethods = &kMethods;
  }
  return code;
}
int x_delete(sqlite3_vfs* vfs, const char* name, int sync) {
  if (const int code = owner(vfs)->before(SQLITE_IOERR_DELETE); code != SQLITE_OK) {
    return code;
  }
  owner(vfs)->forget(name);
  sqlite3_vfs* system = owner(vfs)->system();
  return system->xDelete(system, name, sync);
}

}  // namespace

FaultVfs::FaultVfs() : system_(sqlite3_vfs_find(nullptr)) {
  vfs_ = *system_;
  vfs_.zName = "cc-fault";
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
  vfs_.xOpen = x_open;
  vfs_.xDelete = x_delete;
  sqlite3_vfs_register(&vfs_, 1);
}
FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(system_, 1);
}

void FaultVfs::fail(std::uint64_t at, int code, bool lasting) {
  fail_at_ = operations_ + at;
  code_ = code;
  lasting_ = lasting;
  struck_ = false;
}
void FaultVfs::cut_power(std::uint64_t at) { fail(at, 0, true); }
void FaultVfs::heal() { fail_at_ = 0; }

int FaultVfs::before(int own_code) {
  ++operations_;
  if (fail_at_ == 0 || operations_ < fail_at_ || (!lasting_ && operations_ > fail_at_)) {
    return SQLITE_OK;
  }
  struck_ = true;
  struck_sync_ = own_code == SQLITE_IOERR_FSYNC;
  return code_ == SQLITE_OK ? own_code : code_;
}

FaultVfs::Image& FaultVfs::image(const std::string& path) {
  const auto [at, fresh] = images_.try_emplace(path);
  if (fresh && std::filesystem::exists(path)) {
    const std::string content = read_text(path);
    at->second.flushed.assign(content.begin(), content.end());
  }
  return at->second;
}

void FaultVfs::restore(SeededRandom& random) {
  for (auto& [path, image] : images_) {
    std::vector<std::uint8_t> content = image.flushed;
    for (Change change : image.pending) {
      if (random.below(2) == 0) {
        continue;
      }
      if (!change.bytes.empty() && random.below(4) == 0) {
        change.bytes.resize(random.below(change.bytes.size()));
      }
      carry_out(content, change);
    }
    if (std::filesystem::exists(path)) {
      std::ofstream out(path, std::ios::binary | std::ios::trunc);
      out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    }
    image = {std::move(content), {}};
  }
}

}  // namespace cc::test
