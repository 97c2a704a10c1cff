// srcu.hpp: what compiles and what does not, who deletes what and when.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <srcu/srcu.hpp>
#include <thread>

#define CHECK(x) ((x) ? (void)0 : (std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x), std::_Exit(1)))

namespace {

template <class Domain, class Token>
using Unlock = decltype(std::declval<Domain&>().unlock(std::declval<Token>()));
template <class Domain, class Token, class = void>
constexpr bool unlocks = false;
template <class Domain, class Token>
constexpr bool unlocks<Domain, Token, std::void_t<Unlock<Domain, Token>>> = true;

static_assert(unlocks<srcu::domain, srcu::normal_kind::token> && unlocks<srcu::fast_domain, srcu::fast_kind::token>);
static_assert(!unlocks<srcu::domain, srcu::fast_kind::token> && !unlocks<srcu::domain, srcu::normal_kind::down_token>);
static_assert(!unlocks<srcu::domain, int> && !unlocks<srcu::fast_domain, srcu::fast_updown_kind::token>);
static_assert(!std::is_move_constructible_v<srcu::read_guard<srcu::fast_updown_kind>>);
static_assert(std::is_nothrow_move_constructible_v<srcu::down_guard<srcu::normal_kind>> &&
              !std::is_copy_constructible_v<srcu::down_guard<srcu::normal_kind>>);
static_assert(!std::is_move_constructible_v<srcu::domain>);

std::atomic<int> alive{0}, allocated{0};

struct Plain {
  Plain() { ++alive; }
  ~Plain() { --alive; }
};
struct Retirable : Plain, srcu::retirable {};  // the base is not at the object's start
// Has what cannot be copied.
struct MoveOnlyDelete {
  std::unique_ptr<int> calls = std::make_unique<int>(0);
  void operator()(Plain* object) const {
    CHECK(calls && ++*calls == 1);
    delete object;
  }
};
struct StatelessDelete {
  template <class T>
  void operator()(T* object) const { delete object; }
};

template <class Domain>
void sections_move(Domain& domain) {
  srcu::down_guard first(domain);
  const srcu::cookie cookie = domain.start_poll();
  std::thread([taken = std::move(first), cookie] { CHECK(!cookie.poll()); }).join();
  cookie.wait();
  CHECK(cookie.poll() && cookie == cookie && cookie != srcu::cookie() && srcu::cookie().poll());

  srcu::down_guard one(domain), other(domain);
  one = std::move(other);  // ends the first
  CHECK(srcu_open_sections(domain.get()) == 1);
}

template <class Domain>
void guards_nest(Domain& domain) {
  const srcu::read_guard outer(domain);
  const srcu::read_guard inner(domain);
  CHECK(srcu_open_sections(domain.get()) == 2);
}

void all_kinds_of_retiring() {
  srcu::fast_domain domain;
  const int before = allocated;
  auto* const object = new Retirable;
  srcu::retire(domain, object);
  srcu::retire(domain, new Retirable, StatelessDelete());
  CHECK(allocated == before + 2);  // the objects, and nothing else
  srcu::retire(domain, new Plain);
  CHECK(allocated == before + 4);
  srcu::retire(domain, static_cast<Plain*>(nullptr));
  srcu::retire(domain, static_cast<Retirable*>(nullptr));
  srcu::retire(domain, std::unique_ptr<Plain>());
  CHECK(allocated == before + 4);  // as after delete
  int calls = 0;
  srcu::retire(domain, new Plain, [&calls](Plain* plain) {
    ++calls;
    delete plain;
  });
  srcu::retire(domain, std::make_unique<Retirable>());
  srcu::retire(domain, std::make_unique<Plain>());
  srcu::retire(domain, new Plain, +[](Plain* plain) { delete plain; });
  srcu::retire(domain, std::unique_ptr<Plain, MoveOnlyDelete>(new Plain));
  srcu::retire(domain, new Plain, MoveOnlyDelete());
  srcu::retire(domain, std::unique_ptr<Plain[]>(new Plain[3]));
  const int before_constants = allocated;
  srcu::retire(domain, static_cast<const Retirable*>(new const Retirable));
  srcu::retire(domain, std::unique_ptr<const Retirable>(new Retirable));
  CHECK(allocated == before_constants + 2);
  srcu::retire(domain, std::unique_ptr<const Plain>(new Plain));
  {
    const srcu::read_guard reading(domain);
    srcu::retire(domain, new Plain);
    CHECK(alive >= 1);  // the last, at least, is not deleted in here
  }
  domain.barrier();
  CHECK(alive == 0 && calls == 1);
  srcu::retire(domain, new Plain);
}  // and the destructor waits for that one

bool no_memory = false;

// What could not be posted is still its owner's, and alive: a reader may look at it.
void retiring_without_memory() {
  srcu::domain domain;
  auto owned = std::make_unique<Plain>();
  auto* const object = new Plain;
  const srcu::read_guard reading(domain);
  const auto refused = [](auto retire) {
    no_memory = true;
    try {
      retire();
    } catch (const std::bad_alloc&) {
      no_memory = false;
      return true;
    }
    return false;
  };
  CHECK(refused([&] { srcu::retire(domain, std::move(owned)); }) && owned && alive == 2);
  CHECK(refused([&] { srcu::retire(domain, object); }) && alive == 2);
  delete object;
}

// Ends in abort(): the domain's memory would go away under an open section.
void destroy_while_read() {
  srcu::domain domain;
  std::thread([&domain] { (void)domain.lock(); }).join();
}

}  // namespace

// noinline: gcc would see malloc() and free() beside delete and new, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocated;
  if (no_memory) throw std::bad_alloc();
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main(int argc, char**) {
  if (argc > 1) std::thread(destroy_while_read).join();
  srcu::domain normal;
  srcu::fast_domain fast;
  srcu::fast_updown_domain fast_updown;
  guards_nest(normal);
  guards_nest(fast);
  guards_nest(fast_updown);
  sections_move(normal);
  sections_move(fast_updown);
  all_kinds_of_retiring();
  retiring_without_memory();
  CHECK(alive == 0);
  return 0;
}
