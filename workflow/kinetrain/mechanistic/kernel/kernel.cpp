// Values, gradients and Fisher information of a PEtab problem: many initial value problems of one model, in lanes.
//
// A job is one condition at one point of the parameters. Every lane has its own job, time, step size, error control and
// next stop (a measured time, a switch of the input, an event); a lane that is done takes the next job, so that results do
// not depend on what runs in other lanes. Gradients are the discrete adjoint: exact for what was computed. The Fisher
// information comes from sensitivities of the steps, or from an adjoint for each measurement. The steady state of a
// pre-equilibration (or measured at infinity) is integrated to; some long steps with states held fixed let the
// derivatives follow (`follow`).
//
// MODEL is the generated header of one model.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "lanes.hpp"
#include "rodas.hpp"

namespace {

#include MODEL

enum { N1 = N ? N : 1, N_C1 = N_C ? N_C : 1, N_O1 = N_O ? N_O : 1, N_P1 = N_P ? N_P : 1, N_K1 = N_K ? N_K : 1 };
enum { N_H1 = N_H ? N_H : 1, N_TAU1 = N_TAU ? N_TAU : 1, N_J1 = N_J ? N_J : 1, N_TIMED1 = N_TIMED ? N_TIMED : 1 };
enum { N_Y1 = N_Y ? N_Y : 1, N_DRIVING1 = N_DRIVING ? N_DRIVING : 1 };
enum Status { DONE = 0, TOO_MANY_STEPS = 1, STEP_TOO_SMALL = 2, NOT_FINITE = 3 };
enum Order { VALUE = 0, GRADIENT = 1, INFORMATION = 2, INFORMATION_BY_ADJOINTS = 3 };

const double INF = std::numeric_limits<double>::infinity(), NONE = std::numeric_limits<double>::quiet_NaN();
const double LN10 = 2.302585092994045684;
const double SMALLEST = 1e-8;  // of the largest a state has been: below it, errors are measured by this share of that
// At a steady state: the largest change, if the rate went on for as long as it took so far, in units of the tolerance;
// and where it is no larger than that many estimates of its error: rounding, which adds up in conserved sums. Rounding
// may be that large (relative) at any tolerance.
const double STEADY = 1e-3, STEADY_ROUNDED = 10, ROUNDED = 20, FINEST = 1e-7;
const int MOST_CLOSING = 9;   // steps with states held fixed, each at most 10 times longer
const double SETTLED = 1e-6, ROUGH = 1e-2;  // relative change of a disturbance in the last of them; where it is rounding
const int JOBS_AT_ONCE = 64;  // where there is a way back: what it needs stays in the cache
const int VALUES_AT_ONCE = 512;

// Memory aligned for lanes, which keeps its contents when it grows.
template <class T>
class Aligned {
    T* begin_ = nullptr;
    size_t size_ = 0, room_ = 0;

  public:
    Aligned() = default;
    Aligned(const Aligned&) = delete;
    Aligned& operator=(const Aligned&) = delete;
    ~Aligned() { std::free(begin_); }
    void resize(size_t size) {
        if (size > room_) {
            const size_t room = std::max(size, 2 * room_), bytes = (room * sizeof(T) + 127) / 128 * 128;
            T* made = (T*)std::aligned_alloc(128, bytes);
            if (!made) throw std::bad_alloc();
            if (begin_) std::memcpy((void*)made, (void*)begin_, size_ * sizeof(T));
            std::free(begin_);
            begin_ = made;
            room_ = room;
        }
        size_ = size;
    }
    void zero() { std::memset((void*)begin_, 0, size_ * sizeof(T)); }
    size_t size() const { return size_; }
    T* data() { return begin_; }
    T& operator[](size_t i) { return begin_[i]; }
};

struct Stop {
    double time;
    int slot = -1;     // of the measurements
    int segment = -1;  // of the switches that begins here
    int tau = -1;      // the parameter-dependent time that this is
    int jump_begin = 0, jump_end = 0;
};

// Where the lanes of one condition stop, the values of its switches between, and the jumps in their order.
struct Plan {
    std::vector<Stop> stops;
    std::vector<double> switches;  // (segments, N_H)
    std::vector<int> jumps, slot_segment;
    int start_jumps = 0;  // the first ones of `jumps`, which happen at the start
};

struct Condition {
    double start;
    const double *k, *base;         // (N_K), (N_P): constants, parameters on their scales
    const int8_t* scale;            // (N_P)
    const int *to_model, *from_theta;
    int mapped, preequilibration;   // how many estimated; condition that gives the initial states, or -1
    bool is_preequilibration = false;  // of others
    const int8_t* reset;            // (N): states that begin anew after pre-equilibration
    std::vector<double> times;      // of slots, distinct
    int rows = 0, padded = 0;
    std::vector<int> row_slot;
    std::vector<double> measured, noise;       // (N_Y, padded), NaN where there is none
    std::vector<std::vector<int>> observed;    // for each block of rows, the observables that are measured there
    std::vector<std::pair<int, int>> residuals;  // row and observable of each measurement
    std::vector<int> thetas;                     // distinct estimated parameters
    Plan plan;                                 // where it does not depend on parameters
};

struct Job {
    int condition, point, before = -1;  // before: the job of its pre-equilibration
    Plan* plan = nullptr;
    size_t states = 0;  // where its states at slots are
    int status = DONE, attempts = 0;
    double last = 0;  // the time that it reached
};

struct Record {  // one attempt of all lanes
    V y[N1], stages[STORES_STAGES ? STAGES * N1 : 1], t, h, kind;  // kind: 0 rejected, 1 step, 2 states held fixed
    int begins[LANES], stops[LANES], ends[LANES];                 // job that begins before; stop, job that ends after
};

struct Jumped {
    int job, stop;
    std::vector<double> before;  // states before each jump of the stop, and after the last
};

struct Tape {
    Aligned<Record> records;
    std::vector<Jumped> jumped;
    size_t length = 0;
    Record& next() {
        if (length == records.size()) records.resize(std::max<size_t>(256, 2 * length));
        return records[length++];
    }
    void clear() {
        length = 0;
        jumped.clear();
    }
};

// What is computed for blocks of LANES jobs: parameters, what depends on them alone, and adjoints of that.
struct Blocks {
    Aligned<V> p, k, c, o, x0, cb, ob, x0b, taub, jump_pb;
    void resize(size_t blocks) {
        p.resize(blocks * N_P1), k.resize(blocks * N_K1), c.resize(blocks * N_C1), o.resize(blocks * N_O1);
        x0.resize(blocks * N1), cb.resize(blocks * N_C1), ob.resize(blocks * N_O1), x0b.resize(blocks * N1);
        taub.resize(blocks * N_TAU1), jump_pb.resize(blocks * N_P1);
    }
};

struct Work {  // of steps
    V J[N_J1], LU[N_LU], ft[N_TIMED1], U[STAGES * N1], Y[STAGES * N1], v[STAGES * N1], q[STAGES * N1];
    V tail[N1], m[N_J1], mt[N_TIMED1], dJ[N_J1], dft[N_TIMED1], dU[STAGES * N1], dY[N1];
};

struct Request {  // as in problem.py
    int64_t pairs, points, parameters, order;
    const int *condition, *point;
    const double* theta;      // (points, parameters)
    double *value, *gradient, *information;  // (pairs), (points, parameters), (points, parameters, parameters)
    int *status, *attempts;                  // (pairs)
    double *y, *sigma;  // of a simulation: for each pair (rows, N_Y) one after the other; null else
};

struct Kernel {
    std::vector<Condition> conditions;
    std::vector<double> k, base;
    std::vector<int8_t> scale, reset;
    std::vector<int> to_model, from_theta;
    double relative = 1e-6, absolute = 1e-12;
    int most_attempts = 5000;
    int64_t counts[3] = {0, 0, 0};  // attempts of all lanes together, those of busy lanes, accepted ones
    Work* work = nullptr;
    std::vector<double> x, xb;  // of all jobs: states at slots (slots, N), and derivatives of the likelihood by them
    std::vector<int> active;    // driving parameters that are estimated in some job, for sensitivities
    Aligned<V> dc, d_o, dx0, s;  // sensitivities of one block by active parameters
    std::vector<double> sx;      // (slots, active, N)
    Tape tape, tape_before;
    Blocks blocks, blocks_before;
    std::vector<Plan> plans, plans_before;
    std::vector<Job> jobs, before;

    ~Kernel() { std::free(work); }
    void make_plan(const Condition&, const double* p, Plan&);
    void read_parameters(const Request&, const std::vector<Job>&, size_t begin, size_t end, Blocks&);
    void prepare(const Request&, std::vector<Job>&, size_t begin, size_t end, Blocks&, std::vector<Plan>&);
    void start_after(std::vector<Job>&, size_t begin, size_t end, Blocks&);
    void differentiate(std::vector<Job>&, size_t begin, size_t end, Blocks&);
    template <Order ORDER>
    void forward(std::vector<Job>&, size_t begin, size_t end, Blocks&, Tape&);
    void backward(std::vector<Job>&, size_t begin, size_t end, Blocks&, Tape&);
    double likelihood(const Request&, Job&, size_t position, Blocks&, bool gradient, double* y, double* sigma);
    void inform(const Request&, Job&, size_t position, Blocks&, double* gradient, double* information);
    void begin_back(const Job&, size_t position, size_t residual);
    void inform_back(const Request&, size_t begin, size_t end);
    void collect(const Request&, std::vector<Job>&, size_t begin, size_t end, Blocks&, double* rows = nullptr);
    void evaluate(const Request&);
};

// ---- Plans -------------------------------------------------------------------------------------------------------

void Kernel::make_plan(const Condition& condition, const double* parameters, Plan& plan) {
    plan.stops.clear();
    plan.jumps.clear();
    V p[N_P1], k[N_K1], tau[N_TAU1];
    const double end = condition.times.empty() ? condition.start : condition.times.back();
    for (size_t i = 0; i < condition.times.size(); i++)
        if (condition.times[i] > condition.start) {
            Stop stop;
            stop.time = condition.times[i], stop.slot = (int)i;
            plan.stops.push_back(stop);
        }
    if (N_TAU || N_H) {
        for (int i = 0; i < N_P; i++) p[i] = spread(parameters[i]);
        for (int i = 0; i < N_K; i++) k[i] = spread(condition.k[i]);
    }
    if (N_TAU) {
        model_times(p, k, tau);
        for (int i = 0; i < N_TAU; i++) {
            const double time = lane(tau[i], 0);
            if (!(time > condition.start && time <= end && time < INF)) continue;
            auto same = [&](const Stop& stop) {  // nearer than steps can resolve
                return std::fabs(stop.time - time) <= 1e-14 * std::fabs(time);
            };
            auto found = std::find_if(plan.stops.begin(), plan.stops.end(), same);
            if (found == plan.stops.end()) {
                Stop stop;
                stop.time = time;
                found = plan.stops.insert(found, stop);
            }
            found->segment = 0;
            if (TAU_MOVES[i] && found->tau < 0) found->tau = i;
        }
        std::sort(plan.stops.begin(), plan.stops.end(), [](const Stop& a, const Stop& b) { return a.time < b.time; });
    }
    std::vector<double> edges{condition.start};
    for (Stop& stop : plan.stops)
        if (stop.segment >= 0) {
            stop.segment = (int)edges.size();
            edges.push_back(stop.time);
        }
    const int segments = (int)edges.size();
    plan.switches.assign((size_t)segments * N_H, 0);
    if (N_H)
        for (int begin = 0; begin < segments; begin += LANES) {
            V t, root[N_H1];
            for (int l = 0; l < LANES; l++) {
                const int i = std::min(begin + l, segments - 1);
                const double a = edges[i], b = i + 1 < segments ? edges[i + 1] : end;
                put(t, l, std::isfinite(b) && b > a ? 0.5 * (a + b) : a + std::max(1.0, std::fabs(a)));
            }
            model_switches(p, k, t, root);
            for (int l = 0; l < LANES && begin + l < segments; l++)
                for (int i = 0; i < N_H; i++) plan.switches[(size_t)(begin + l) * N_H + i] = lane(root[i], l) > 0;
        }
    // As in AMICI, a jump at the start happens once: what already happened at the start of the pre-equilibration does not
    // happen again. A change of condition after it (PEtab 2) is a jump that does not happen there.
    const Plan* before = condition.preequilibration < 0 ? nullptr : &conditions[condition.preequilibration].plan;
    for (int order = 0; order < N_JUMP; order++) {
        const int jump = JUMP_ORDER[order], trigger = JUMP_TRIGGER[jump];
        const bool happened = before && before->switches[trigger] > 0;
        if (JUMP_AT_START[jump] && plan.switches[trigger] > 0 && !happened) plan.jumps.push_back(jump);
    }
    plan.start_jumps = (int)plan.jumps.size();
    for (Stop& stop : plan.stops) {
        stop.jump_begin = (int)plan.jumps.size();
        // On the way to a steady state AMICI makes no jumps, so that they happen once, at their time in the experiment.
        for (int order = 0; order < N_JUMP && stop.segment >= 0 && !condition.is_preequilibration; order++) {
            const int jump = JUMP_ORDER[order];
            const double* now = &plan.switches[(size_t)stop.segment * N_H + JUMP_TRIGGER[jump]];
            if (now[0] > 0 && now[-N_H] <= 0) plan.jumps.push_back(jump);
        }
        stop.jump_end = (int)plan.jumps.size();
    }
    plan.slot_segment.assign(condition.times.size(), 0);
    int segment = 0;
    for (const Stop& stop : plan.stops) {
        if (stop.segment >= 0) segment = stop.segment;
        if (stop.slot >= 0) plan.slot_segment[stop.slot] = segment;
    }
}

// ---- Parameters --------------------------------------------------------------------------------------------------

double unscaled(double value, int scale) {
    return scale == 0 ? value : scale == 1 ? std::exp(value) : std::exp(value * LN10);
}
double slope_of_scale(double unscaled_value, int scale) {
    return scale == 0 ? 1.0 : scale == 1 ? unscaled_value : unscaled_value * LN10;
}

void Kernel::read_parameters(const Request& request, const std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b) {
    for (size_t i = begin; i < end; i++) {
        const Condition& condition = conditions[jobs[i].condition];
        const double* theta = request.theta + (size_t)jobs[i].point * request.parameters;
        const size_t block = (i - begin) / LANES;
        const int l = (i - begin) % LANES;
        V *p = b.p.data() + block * N_P1, *k = b.k.data() + block * N_K1;
        const int last = i + 1 == end ? LANES : l + 1;  // the last job fills the lanes that are left
        for (int to = l; to < last; to++) {
            for (int j = 0; j < N_P; j++) put(p[j], to, condition.base[j]);
            for (int j = 0; j < N_K; j++) put(k[j], to, condition.k[j]);
        }
        for (int j = 0; j < condition.mapped; j++) {
            const int own = condition.to_model[j];
            const double value = unscaled(theta[condition.from_theta[j]], condition.scale[own]);
            for (int to = l; to < last; to++) put(p[own], to, value);
        }
    }
}

// Compute what depends on parameters alone, and where lanes stop; `x` gets room for the states at slots.
void Kernel::prepare(
    const Request& request, std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b, std::vector<Plan>& made
) {
    const size_t blocks = (end - begin + LANES - 1) / LANES;
    b.resize(blocks);
    read_parameters(request, jobs, begin, end, b);
    for (size_t block = 0; block < blocks; block++) {
        V t;
        for (int l = 0; l < LANES; l++)
            put(t, l, conditions[jobs[std::min(begin + block * LANES + l, end - 1)].condition].start);
        model_setup(
            &b.p[block * N_P1], &b.k[block * N_K1], t, &b.c[block * N_C1], &b.o[block * N_O1], &b.x0[block * N1]
        );
    }
    if (TIMES_MOVE) made.resize(std::max(made.size(), end - begin));
    size_t room = jobs[begin].states;
    for (size_t i = begin; i < end; i++) {
        Condition& condition = conditions[jobs[i].condition];
        jobs[i].plan = &condition.plan;
        if (TIMES_MOVE) {
            double p[N_P1];
            const V* block = &b.p[(i - begin) / LANES * N_P1];
            for (int j = 0; j < N_P; j++) p[j] = lane(block[j], (i - begin) % LANES);
            jobs[i].plan = &made[i - begin];
            make_plan(condition, p, *jobs[i].plan);
        }
        jobs[i].states = room;
        room += condition.times.size() * N;
    }
    if (x.size() < room) x.resize(room);
}

// Let jobs begin where their pre-equilibrations ended, but for the states that begin anew.
void Kernel::start_after(std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b) {
    for (size_t i = begin; i < end; i++) {
        if (jobs[i].before < 0) continue;
        const Job& job = before[jobs[i].before];
        const int8_t* anew = conditions[jobs[i].condition].reset;
        V* x0 = &b.x0[(i - begin) / LANES * N1];
        for (int n = 0; n < N; n++)
            if (!anew[n]) put(x0[n], (i - begin) % LANES, x[job.states + n]);
        jobs[i].status = job.status;
    }
}

// ---- Steps -------------------------------------------------------------------------------------------------------

// All stages of a step of all lanes. With KEEP, Y holds the states of all stages, else only those of the last one.
template <bool KEEP>
INLINE void step(const V* y, const V* c, V t, V h, const V* switches, V* U, V* J, V* LU, V* ft, V* Y) {
    const V reciprocal = vdiv(spread(1.0), h);
    V f[N1];
    model_decompose(y, c, t, switches, reciprocal * (1.0 / GAMMA), J, LU);
    if (N_TIMED) model_by_time(y, c, t, switches, ft);
#pragma GCC unroll 8
    for (int i = 0; i < STAGES; i++) {
        V *u = U + i * N, *at = KEEP ? Y + i * N : Y;
        const V* previous = KEEP ? at - N : at;
        if (i == 0 && KEEP)
            for (int n = 0; n < N; n++) at[n] = y[n];
        if (i) {
            V a[STAGES], b[STAGES];  // in registers: the compiler would read a vector of each from memory
            for (int j = 0; j < i; j++) a[j] = held(i <= FIRST_OF_LAST ? A[i][j] : 0.0), b[j] = held(C[i][j]);
            for (int n = 0; n < N; n++) {  // the last stages differ from the one before by its U
                V state = i > FIRST_OF_LAST ? previous[n] + U[(i - 1) * N + n] : y[n], sum = spread(0.0);
#pragma GCC unroll 8
                for (int j = 0; j < i; j++) {
                    const V one = U[j * N + n];
                    if (i <= FIRST_OF_LAST) state += a[j] * one;
                    sum += b[j] * one;
                }
                at[n] = state;
                u[n] = sum;
            }
        }
        model_f(i ? at : y, c, t + C_TIME[i] * h, switches, f);
        for (int n = 0; n < N; n++) u[n] = i ? f[n] + reciprocal * u[n] : f[n];
        if (N_TIMED && D[i] != 0)
            for (int q = 0; q < N_TIMED; q++) u[TIMED[q]] += (h * D[i]) * ft[q];
        model_solve(LU, u);
    }
}

// Sensitivities S (N) of one parameter through a step whose stages are in w (KEEP).
void step_along(Work& w, const V* y, const V* c, V t, V h, const V* switches, const V* dc, V* S) {
    const V reciprocal = vdiv(spread(1.0), h);
    model_jacobian_along(y, c, t, switches, S, dc, w.dJ, w.dft);
    for (int i = 0; i < STAGES; i++) {
        V* u = w.dU + i * N;
        for (int n = 0; n < N; n++) {
            V sum = S[n];
            for (int j = 0; j < i; j++)
                if (A[i][j] != 0) sum += A[i][j] * w.dU[j * N + n];
            w.dY[n] = sum;
        }
        model_f_along(w.Y + i * N, c, t + C_TIME[i] * h, switches, w.dY, dc, u);
        for (int n = 0; n < N; n++) {
            V sum = spread(0.0);
            for (int j = 0; j < i; j++) sum += C[i][j] * w.dU[j * N + n];
            u[n] += reciprocal * sum;
        }
        for (int q = 0; q < N_J; q++) u[J_ROW[q]] += w.dJ[q] * w.U[i * N + J_COLUMN[q]];
        if (N_TIMED && D[i] != 0)
            for (int q = 0; q < N_TIMED; q++) u[TIMED[q]] += (h * D[i]) * w.dft[q];
        model_solve(w.LU, u);
    }
    for (int n = 0; n < N; n++) S[n] = w.dY[n] + w.dU[(STAGES - 1) * N + n];
}

// A point of one job, in all lanes; of what is computed with it the lane of the job is used.
struct Point {
    V x[N1], h[N_H1], t;
    Point(const double* states, const double* switches, double time) {
        for (int n = 0; n < N; n++) x[n] = spread(states[n]);
        for (int i = 0; i < N_H; i++) h[i] = spread(switches[i]);
        t = spread(time);
    }
};

// Parameters of one job: pointers to those of its block, and its lane.
struct Own {
    const V *p, *k, *c;
    int lane;
    Own(Blocks& b, size_t position)
        : p(&b.p[position / LANES * N_P1]), k(&b.k[position / LANES * N_K1]), c(&b.c[position / LANES * N_C1]),
          lane(position % LANES) {}
};

// Apply jumps to states (N); `passed` gets the states before each of them.
void apply_jumps(
    const Plan& plan, int begin, int end, const Own& own, double t, const double* switches, double* states,
    std::vector<double>& passed
) {
    const std::vector<double> old(states, states + N);
    V z[N1];
    for (int index = begin; index < end; index++) {
        const int jump = plan.jumps[index];
        passed.insert(passed.end(), states, states + N);
        const Point at(JUMP_OLD_VALUES[jump] ? old.data() : states, switches, t);
        model_jump(jump, at.x, own.p, own.k, at.t, at.h, z);
        for (int q = JUMP_TARGET_END[jump]; q < JUMP_TARGET_END[jump + 1]; q++)
            states[JUMP_TARGET[q]] = lane(z[JUMP_TARGET[q]], own.lane);
    }
}

// The right-hand side (N) at a point.
void rates(const Own& own, const double* states, const double* switches, double t, double* f) {
    const Point at(states, switches, t);
    V found[N1];
    model_f(at.x, own.c, at.t, at.h, found);
    for (int n = 0; n < N; n++) f[n] = lane(found[n], own.lane);
}

// ---- Forward -----------------------------------------------------------------------------------------------------

template <Order ORDER>
struct Forward {
    Kernel& kernel;
    std::vector<Job>& jobs;
    const size_t begin, end;
    Blocks& blocks;
    Tape& tape;
    size_t next;
    int busy = 0, seeking = 0;  // lanes with a job; those on their way to a steady state
    bool some_fresh = false;
    V y[N1], largest[N1], c[N_C1], h[N_H1], t, target, length, is_busy;  // largest: sizes of states so far
    V disturbance[N1], changed[N1], closing_length, settled;  // at a steady state (`follow`)
    int job[LANES], stop[LANES], closing[LANES], begins[LANES];
    bool fresh[LANES];
    double started[LANES];

    Forward(Kernel& kernel, std::vector<Job>& jobs, size_t begin, size_t end, Blocks& blocks, Tape& tape)
        : kernel(kernel), jobs(jobs), begin(begin), end(end), blocks(blocks), tape(tape), next(begin) {
        for (V& one : y) one = spread(1.0);
        for (V& one : largest) one = spread(1.0);
        for (V& one : c) one = spread(1.0);
        for (V& one : h) one = spread(0.0);
        for (V& one : disturbance) one = spread(0.0);
        for (V& one : changed) one = spread(0.0);
        t = is_busy = spread(0.0);
        target = closing_length = settled = spread(1.0);
        length = spread(1e-3);
        for (int l = 0; l < LANES; l++) {
            job[l] = begins[l] = -1;
            closing[l] = 0;
            fresh[l] = false;
        }
    }

    size_t position(int l) const { return job[l] - begin; }
    const Plan& plan(int l) const { return *jobs[job[l]].plan; }

    void set_switches(int l, int segment) {
        for (int i = 0; i < N_H; i++) put(h[i], l, plan(l).switches[(size_t)segment * N_H + i]);
    }

    // Give a lane the next job that has something to integrate.
    void load(int l) {
        if (ORDER == INFORMATION) next = begin + l;  // its sensitivities belong to the lanes of the block
        while (next < (ORDER == INFORMATION ? std::min(end, begin + l + 1) : end)) {
            const size_t i = next++;
            Job& own = jobs[i];
            if (own.status != DONE) continue;
            job[l] = (int)i;
            const size_t at = position(l);
            const Condition& condition = kernel.conditions[own.condition];
            const V *x0 = &blocks.x0[at / LANES * N1], *from = &blocks.c[at / LANES * N_C1];
            double states[N1];
            for (int n = 0; n < N; n++) states[n] = lane(x0[n], at % LANES);
            own.last = condition.start;
            if (own.plan->start_jumps) jump_at_start(l, states);
            for (size_t slot = 0; slot < condition.times.size() && condition.times[slot] <= condition.start; slot++)
                save(l, (int)slot, states);
            if (own.plan->stops.empty()) continue;
            for (int n = 0; n < N; n++) put(y[n], l, states[n]), put(largest[n], l, std::fabs(states[n]));
            for (int q = 0; q < N_C; q++) put(c[q], l, lane(from[q], at % LANES));
            set_switches(l, 0);
            put(t, l, condition.start);
            put(is_busy, l, 1);
            stop[l] = closing[l] = own.attempts = 0;
            begins[l] = (int)i;
            busy++;
            head_for(l);
            return;
        }
        job[l] = -1;
        put(is_busy, l, 0);
    }

    // Aim at the next stop, with a new step size.
    void head_for(int l) {
        const double time = plan(l).stops[stop[l]].time;
        put(target, l, time);
        if (time == INF) {
            seeking++;
            started[l] = lane(t, l);
        }
    }
    void refresh(int l) { fresh[l] = some_fresh = true; }

    void save(int l, int slot, const double* states) {
        std::memcpy(&kernel.x[jobs[job[l]].states + (size_t)slot * N], states, N * sizeof(double));
        if (ORDER == INFORMATION) {
            const size_t active = kernel.active.size();
            double* to = &kernel.sx[(jobs[job[l]].states + (size_t)slot * N) * active];
            for (size_t a = 0; a < active; a++)
                for (int n = 0; n < N; n++) to[a * N + n] = lane(kernel.s[a * N1 + n], l);
        }
    }

    void jump_at_start(int l, double* states) {
        const Own own(blocks, position(l));
        const Plan& p = plan(l);
        std::vector<double> passed;
        const double time = kernel.conditions[jobs[job[l]].condition].start;
        apply_jumps(p, 0, p.start_jumps, own, time, p.switches.data(), states, passed);
        if (ORDER == INFORMATION) jump_along(l, 0, p.start_jumps, time, p.switches.data(), passed, nullptr);
        if (ORDER == GRADIENT) tape.jumped.push_back({job[l], -1, std::move(passed)});
    }

    void leave(int l, Status status, Record* record) {
        jobs[job[l]].status = status;
        jobs[job[l]].last = lane(t, l);
        if (lane(target, l) == INF) seeking--;
        if (ORDER == GRADIENT) {
            record->ends[l] = job[l];
            if (status != DONE) put(record->kind, l, 0);
        }
        busy--;
        if (ORDER == INFORMATION) {
            job[l] = -1;
            put(is_busy, l, 0);
        } else {
            load(l);
        }
        if (job[l] >= 0) refresh(l);
    }

    // A lane is at its stop: jumps, new switches, then what is measured there.
    void arrive(int l, Record* record) {
        const Plan& p = plan(l);
        const Stop& here = p.stops[stop[l]];
        if (ORDER == GRADIENT) record->stops[l] = stop[l];
        if (here.segment >= 0) turn(l, here);
        double states[N1];
        for (int n = 0; n < N; n++) states[n] = lane(y[n], l);
        if (here.slot >= 0) save(l, here.slot, states);
        if (++stop[l] == (int)p.stops.size()) {
            leave(l, DONE, record);
            return;
        }
        head_for(l);
        if (here.segment >= 0) refresh(l);
    }

    void turn(int l, const Stop& here) {
        const Plan& p = plan(l);
        const double* switches = &p.switches[(size_t)(here.segment - 1) * N_H];
        const bool jumps = here.jump_end > here.jump_begin, moves = here.tau >= 0;
        if (jumps || moves) {
            const Own own(blocks, position(l));
            std::vector<double> passed, states(N1), f(N1);
            for (int n = 0; n < N; n++) states[n] = lane(y[n], l);
            apply_jumps(p, here.jump_begin, here.jump_end, own, here.time, switches, states.data(), passed);
            passed.insert(passed.end(), states.begin(), states.begin() + N);
            for (int n = 0; n < N; n++) put(y[n], l, states[n]);
            if (ORDER == INFORMATION) {
                if (moves) rates(own, states.data(), switches + N_H, here.time, f.data());
                jump_along(l, here.jump_begin, here.jump_end, here.time, switches, passed, moves ? &here : nullptr);
                if (moves) move_along(l, here, f, -1.0);
            }
            if (ORDER == GRADIENT) tape.jumped.push_back({job[l], stop[l], std::move(passed)});
        }
        set_switches(l, here.segment);
    }

    // Sensitivities of a lane through jumps; before them, those of the time of the jump.
    void jump_along(
        int l, int first, int last, double time, const double* switches, const std::vector<double>& passed,
        const Stop* moving
    ) {
        const Own own(blocks, position(l));
        const Plan& p = plan(l);
        if (moving) {
            std::vector<double> f(N1);
            rates(own, passed.data(), switches, time, f.data());
            move_along(l, *moving, f, 1.0);
        }
        for (size_t a = 0; a < kernel.active.size(); a++) {
            V *S = &kernel.s[a * N1], dp[N_P1], z[N1], old[N1], dtau[N_TAU1];
            for (V& one : dp) one = spread(0.0);
            dp[kernel.active[a]] = spread(1.0);
            model_times_along(own.p, own.k, dp, dtau);
            const V dt = moving ? dtau[moving->tau] : spread(0.0);
            for (int n = 0; n < N; n++) old[n] = S[n];
            for (int index = first; index < last; index++) {
                const int jump = p.jumps[index];
                const bool earlier = JUMP_OLD_VALUES[jump];
                const Point at(&passed[earlier ? 0 : (size_t)(index - first) * N], switches, time);
                model_jump_along(jump, at.x, own.p, own.k, at.t, at.h, earlier ? old : S, dp, dt, z);
                for (int q = JUMP_TARGET_END[jump]; q < JUMP_TARGET_END[jump + 1]; q++)
                    put(S[JUMP_TARGET[q]], l, lane(z[JUMP_TARGET[q]], l));
            }
        }
    }

    // Add to the sensitivities of a lane `sign` f times those of a stop's time.
    void move_along(int l, const Stop& here, const std::vector<double>& f, double sign) {
        const Own own(blocks, position(l));
        for (size_t a = 0; a < kernel.active.size(); a++) {
            V dp[N_P1], dtau[N_TAU1];
            for (V& one : dp) one = spread(0.0);
            dp[kernel.active[a]] = spread(1.0);
            model_times_along(own.p, own.k, dp, dtau);
            V* S = &kernel.s[a * N1];
            for (int n = 0; n < N; n++) put(S[n], l, lane(S[n], l) + sign * f[n] * lane(dtau[here.tau], l));
        }
    }

    // First step sizes of lanes that begin, or whose right-hand side changed: a hundredth of the time in which states
    // change by their size. States at zero do not count, as steps follow their first growth exactly; a step that is
    // too long for what follows is rejected, which costs less than to grow from one that is safe for all.
    void choose_lengths(const V& absolute, const V& relative) {
        V f[N1], size = spread(0.0), rate = spread(0.0);
        model_f(y, c, t, h, f);
        for (int n = 0; n < N; n++) {
            const V weight = 1.0 / (absolute + relative * magnitude(y[n])), a = y[n] * weight;
            const V b = f[n] * choose(y[n] == 0.0, spread(0.0), weight);
            size += a * a;
            rate += b * b;
        }
        size = vsqrt(size * (1.0 / N1));
        rate = vsqrt(rate * (1.0 / N1));
        for (int l = 0; l < LANES; l++) {
            if (!fresh[l]) continue;
            const double a = lane(size, l), b = lane(rate, l), rest = lane(target, l) - lane(t, l);
            const double now = std::fabs(lane(t, l));
            double step = b == 0 ? std::max(1.0, now) : 0.01 * a / b;
            step = std::max(step, 1e-12 * now);  // what time resolves; it is tried, not trusted
            put(length, l, std::min(step, rest));  // NaN stays, and fails
            fresh[l] = false;
        }
        some_fresh = false;
    }

    void run() {
        Work& w = *kernel.work;
        const V absolute = spread(kernel.absolute), relative = spread(kernel.relative), one = spread(1.0);
        const V zero = spread(0.0);
        V new_y[N1];
        for (int l = 0; l < LANES; l++) {
            load(l);
            if (job[l] >= 0) refresh(l);
        }
        for (int64_t attempt = 1; busy; attempt++) {
            if (some_fresh) choose_lengths(absolute, relative);
            const V rest = target - t;
            const M last = length * 1.0001 >= rest, half = length + length > rest;
            V step_length = choose(last, rest, choose(half, rest * 0.5, length));
            step_length = choose(is_busy > 0.5, step_length, spread(1e-3));
            Record* record = nullptr;
            V kind = one;
            if (seeking && ORDER != VALUE)
                for (int l = 0; l < LANES; l++)
                    if (closing[l]) {
                        put(step_length, l, lane(closing_length, l));
                        put(kind, l, 2);
                    }
            if (ORDER == GRADIENT) {
                record = &tape.next();
                for (int n = 0; n < N; n++) record->y[n] = y[n];
                record->t = t;
                record->h = step_length;
                for (int l = 0; l < LANES; l++) {
                    record->begins[l] = begins[l];
                    record->stops[l] = record->ends[l] = begins[l] = -1;
                }
            }
            V* U = ORDER == GRADIENT && STORES_STAGES ? record->stages : w.U;
            step<ORDER == INFORMATION>(y, c, t, step_length, h, U, w.J, w.LU, w.ft, w.Y);
            const V* last_stage = ORDER == INFORMATION ? w.Y + (STAGES - 1) * N : w.Y;
            V error = zero, over = zero, under = one;  // a sum of fractions, divided once for four of them
            for (int n = 0; n < N; n++) {
                const V estimate = U[(STAGES - 1) * N + n];
                new_y[n] = last_stage[n] + estimate;
                const V size = larger(larger(magnitude(y[n]), magnitude(new_y[n])), SMALLEST * largest[n]);
                const V weight = absolute + relative * size;
                over = over * (weight * weight) + (estimate * estimate) * under;
                under = under * (weight * weight);
                if (n % 4 == 3 || n == N - 1) {
                    error += vdiv(over, under);
                    over = zero, under = one;
                }
            }
            error = error * (1.0 / N1);
            M accepted = (error <= 1.0) & (is_busy > 0.5);
            V factor = 0.95 * vexp((-0.5 / ::ORDER) * vlog(error + 1e-20));
            factor = smaller(larger(factor, spread(0.02)), spread(20.0));
            factor = choose(error < 1e300, factor, spread(0.1));  // NaN too
            const V proposed = step_length * factor;
            const M cut = last | half, held = kind > 1.5;
            length = choose(
                accepted, choose(cut, larger(proposed, length), proposed), smaller(proposed, 0.9 * step_length)
            );
            M steady{};
            if (seeking) {
                const V most_rounded = spread(std::max(STEADY_ROUNDED, FINEST / kernel.relative));
                V elapsed = t + step_length, excess = zero;
                for (int l = 0; l < LANES; l++) put(elapsed, l, lane(elapsed, l) - started[l]);
                for (int n = 0; n < N; n++) {
                    const V change = magnitude(new_y[n] - y[n]), estimate = magnitude(U[(STAGES - 1) * N + n]);
                    const V most = choose(change <= ROUNDED * estimate, most_rounded, spread(STEADY));
                    excess = larger(excess, change / ((absolute + relative * magnitude(new_y[n])) * most));
                }
                steady = accepted & (target == INF) & (excess * elapsed <= step_length) & ~held;
                accepted = accepted | held;
                if (any(held)) follow(w, step_length, held);
            }
            if (ORDER == INFORMATION) advance_sensitivities(w, step_length, accepted, held);
            const M moved = accepted & ~held;
            t = choose(moved, choose(last, target, t + step_length), t);
            for (int n = 0; n < N; n++) {
                y[n] = choose(moved, new_y[n], y[n]);
                largest[n] = larger(largest[n], magnitude(y[n]));
            }
            if (ORDER == GRADIENT) record->kind = choose(accepted, kind, zero);
            const M arrived = moved & last;
            const M small = (length <= 2e-16 * t) & (t > 0.0) & (is_busy > 0.5);
            const M lost = ~(length == length) & (is_busy > 0.5);
            kernel.counts[0]++;
            kernel.counts[1] += busy;
            for (int l = 0; l < LANES; l++) kernel.counts[2] += accepted[l] != 0;
            for (int l = 0; l < LANES; l++)
                if (job[l] >= 0) jobs[job[l]].attempts++;
            if (any(arrived | small | lost | steady | (held & accepted)) || attempt % 64 == 0)
                look(arrived, small, lost, steady, held, record);
        }
    }

    // Let the derivatives follow a lane that is steady: by steps of ten times as long as it took to be so.
    void close(int l) {
        closing[l] = 1;
        put(closing_length, l, 10 * std::max(lane(t, l) - started[l], 1e-300));
        for (int n = 0; n < N; n++) {
            const double size = kernel.absolute / kernel.relative + std::fabs(lane(y[n], l));
            put(disturbance[n], l, n * 2654435761u % 97 < 48 ? size : -size);  // no eigenvector
            put(changed[n], l, 1e3);
        }
    }

    // Where a disturbance of the states does not change any more, but in what is conserved, nor do derivatives. A step
    // much longer than this needs would let rounding grow along what is conserved. So steps get longer only where the
    // disturbance goes on to change in the same way; where it changes at random, that is rounding.
    void follow(const Work& w, V step_length, M held) {
        V now[N1], largest_change = spread(0.0), own = spread(0.0), before = spread(0.0), both = spread(0.0);
        const V rate = vdiv(spread(1.0 / GAMMA), step_length);
        for (int n = 0; n < N; n++) now[n] = disturbance[n] * rate;
        model_solve(w.LU, now);
        for (int n = 0; n < N; n++) {
            const V size = larger(kernel.absolute / kernel.relative + magnitude(y[n]), magnitude(now[n]));
            const V change = vdiv(now[n] - disturbance[n], size);
            largest_change = larger(largest_change, magnitude(change));
            own += change * change, before += changed[n] * changed[n], both += change * changed[n];
            disturbance[n] = choose(held, now[n], disturbance[n]);
            changed[n] = choose(held, change, changed[n]);
        }
        const M goes_on = both * both > 0.25 * own * before, slow = own > 0.0025 * before;
        closing_length = choose(held & slow & goes_on, 10.0 * closing_length, closing_length);
        const M rounding = (largest_change <= ROUGH) & slow & ~goes_on;
        settled = choose(held, choose((largest_change <= SETTLED) | rounding, spread(1.0), spread(0.0)), settled);
    }

    // See to the lanes that are at a stop or cannot go on.
    void look(const M& arrived, const M& small, const M& lost, const M& steady, const M& held, Record* record) {
        for (int l = 0; l < LANES; l++) {
            if (job[l] < 0) continue;
            if (held[l]) {
                if (lane(settled, l) == 0 && closing[l]++ < MOST_CLOSING) continue;
                closing[l] = 0;
                arrive(l, record);
            } else if (steady[l]) {
                if (ORDER == VALUE)
                    arrive(l, record);
                else
                    close(l);
            } else if (arrived[l]) {
                arrive(l, record);
            } else if (lost[l]) {
                leave(l, NOT_FINITE, record);
            } else if (small[l]) {
                leave(l, STEP_TOO_SMALL, record);
            } else if (jobs[job[l]].attempts > kernel.most_attempts) {
                leave(l, TOO_MANY_STEPS, record);
            }
        }
    }

    void advance_sensitivities(Work& w, V step_length, M accepted, M held) {
        if (!any(accepted)) return;
        V saved[N1];
        for (int i = 0; i < STAGES; i++)
            for (int n = 0; n < N; n++) {
                w.U[i * N + n] = choose(accepted & ~held, w.U[i * N + n], spread(0.0));
                w.Y[i * N + n] = choose(accepted & ~held, w.Y[i * N + n], y[n]);
            }
        for (size_t a = 0; a < kernel.active.size(); a++) {
            V* S = &kernel.s[a * N1];
            for (int n = 0; n < N; n++) saved[n] = S[n];
            step_along(w, y, c, t, step_length, h, &kernel.dc[a * N_C1], S);
            for (int n = 0; n < N; n++) S[n] = choose(accepted, S[n], saved[n]);
        }
    }
};

template <Order ORDER>
void Kernel::forward(std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b, Tape& tape) {
    tape.clear();
    Forward<ORDER>(*this, jobs, begin, end, b, tape).run();
}

// ---- Likelihood --------------------------------------------------------------------------------------------------

// Rows of a job's measurements in lanes: states, time, switches of its block of rows `row`.
struct Rows {
    V x[N1], o[N_O1], h[N_H1], t;
    Rows(Blocks& b, size_t position) {
        const V* own = &b.o[position / LANES * N_O1];
        for (int q = 0; q < N_O; q++) o[q] = spread(lane(own[q], position % LANES));
    }
    void fill(const Condition& condition, const Job& job, const double* states, int row) {
        for (int l = 0; l < LANES; l++) {
            const int slot = condition.row_slot[std::min(row + l, condition.rows - 1)];
            const double time = condition.times[slot];
            for (int n = 0; n < N; n++) put(x[n], l, states[job.states + (size_t)slot * N + n]);
            put(t, l, time < INF ? time : job.last);
            const double* switches = job.plan->switches.data() + (size_t)job.plan->slot_segment[slot] * N_H;
            for (int i = 0; i < N_H; i++) put(h[i], l, switches[i]);
        }
    }
};

V load(const double* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
void store(double* to, V v, int count) { std::memcpy(to, &v, count * sizeof(double)); }

// The negative log-likelihood of a job. With `gradient` its derivatives go to xb and the block's ob; y and sigma (rows,
// N_Y) get the simulation where they are given.
double Kernel::likelihood(
    const Request&, Job& job, size_t position, Blocks& b, bool gradient, double* y_out, double* sigma_out
) {
    const Condition& condition = conditions[job.condition];
    Rows at(b, position);
    V y[N_Y1], s[N_Y1], yb[N_Y1], sb[N_Y1], own_xb[N1], ob[N_O1], total = spread(0.0);
    for (V& one : ob) one = spread(0.0);
    if (gradient) std::memset(&xb[job.states], 0, condition.times.size() * N * sizeof(double));
    for (int row = 0; row < condition.rows; row += LANES) {
        at.fill(condition, job, x.data(), row);
        model_observe(at.x, at.o, at.t, at.h, y, s);
        for (int i = 0; i < N_Y; i++) yb[i] = sb[i] = spread(0.0);
        for (int i : condition.observed[row / LANES]) {
            const size_t place = (size_t)i * condition.padded + row;
            const V measured = load(&condition.measured[place]), noise = load(&condition.noise[place]);
            const M has = measured == measured, known = noise == noise;
            V loss, by_y, by_s;
            model_loss(LOSS_OF[i], y[i], measured, choose(known, noise, s[i]), loss, by_y, by_s);
            total += choose(has, loss, spread(0.0));
            yb[i] = choose(has, by_y, spread(0.0));
            sb[i] = choose(has & ~known, by_s, spread(0.0));
        }
        const int count = std::min<int>(LANES, condition.rows - row);
        if (gradient) {
            model_observe_back(at.x, at.o, at.t, at.h, yb, sb, own_xb, ob);
            for (int l = 0; l < count; l++)
                for (int n = 0; n < N; n++)
                    xb[job.states + (size_t)condition.row_slot[row + l] * N + n] += lane(own_xb[n], l);
        }
        if (y_out)
            for (int l = 0; l < count; l++)
                for (int i = 0; i < N_Y; i++) {
                    const double noise = condition.noise[(size_t)i * condition.padded + row + l];
                    y_out[(size_t)(row + l) * N_Y + i] = lane(y[i], l);
                    sigma_out[(size_t)(row + l) * N_Y + i] = noise == noise ? noise : lane(s[i], l);
                }
    }
    if (gradient)
        for (int q = 0; q < N_O; q++) put(b.ob[position / LANES * N_O1 + q], position % LANES, sum(ob[q]));
    return sum(total);
}

// ---- Backward ----------------------------------------------------------------------------------------------------

struct Backward {
    Kernel& kernel;
    std::vector<Job>& jobs;
    const size_t begin, end;
    Blocks& blocks;
    Tape& tape;
    V adjoint[N1], c[N_C1], cb[N_C1], h[N_H1];
    int job[LANES];

    const Plan& plan(int l) const { return *jobs[job[l]].plan; }

    void set_switches(int l, int segment) {
        for (int i = 0; i < N_H; i++) put(h[i], l, plan(l).switches[(size_t)segment * N_H + i]);
    }

    void enter(int l, int own) {
        job[l] = own;
        const size_t at = own - begin;
        const V* from = &blocks.c[at / LANES * N_C1];
        for (int q = 0; q < N_C; q++) {
            put(c[q], l, lane(from[q], at % LANES));
            put(cb[q], l, 0);
        }
        for (int n = 0; n < N; n++) put(adjoint[n], l, 0);
        int segment = 0;
        if (jobs[own].status == DONE)
            for (const Stop& stop : plan(l).stops) segment = std::max(segment, stop.segment);
        set_switches(l, segment);
    }

    void add_measured(int l, int slot) {
        const double* own = &kernel.xb[jobs[job[l]].states + (size_t)slot * N];
        for (int n = 0; n < N; n++) put(adjoint[n], l, lane(adjoint[n], l) + own[n]);
    }

    const Jumped& jumped(int own, int stop) const {
        return *std::find_if(tape.jumped.rbegin(), tape.jumped.rend(), [&](const Jumped& one) {
            return one.job == own && one.stop == stop;
        });
    }

    // Take the adjoint of a lane back through jumps, and what moves their time (tau >= 0).
    void turn_back(int l, int index, int first, int last, int tau, double time, int segment) {
        const size_t at = job[l] - begin;
        const Own own(blocks, at);
        const Plan& p = plan(l);
        const double* switches = p.switches.data() + (size_t)segment * N_H;
        const std::vector<double>& passed = jumped(job[l], index).before;
        double lambda[N1], old[N1] = {0}, f[N1], by_time = 0;
        for (int n = 0; n < N; n++) lambda[n] = lane(adjoint[n], l);
        if (tau >= 0) {
            rates(own, &passed[(size_t)(last - first) * N], switches + N_H, time, f);
            for (int n = 0; n < N; n++) by_time -= lambda[n] * f[n];
        }
        for (int q = last - 1; q >= first; q--) {
            const int jump = p.jumps[q];
            const Point point(&passed[JUMP_OLD_VALUES[jump] ? 0 : (size_t)(q - first) * N], switches, time);
            V v[N1], own_xb[N1], pb[N_P1], tb = spread(0.0);
            for (V& one : own_xb) one = spread(0.0);
            for (V& one : pb) one = spread(0.0);
            for (int e = JUMP_TARGET_END[jump]; e < JUMP_TARGET_END[jump + 1]; e++) {
                const int n = JUMP_TARGET[e];
                v[n] = spread(lambda[n]);
                lambda[n] = 0;
            }
            model_jump_back(jump, point.x, own.p, own.k, point.t, point.h, v, own_xb, pb, tb);
            double* to = JUMP_OLD_VALUES[jump] ? old : lambda;
            for (int n = 0; n < N; n++) to[n] += lane(own_xb[n], own.lane);
            for (int j = 0; j < N_P; j++) {
                V& sum = blocks.jump_pb[at / LANES * N_P1 + j];
                put(sum, own.lane, lane(sum, own.lane) + lane(pb[j], own.lane));
            }
            by_time += lane(tb, own.lane);
        }
        for (int n = 0; n < N; n++) lambda[n] += old[n];
        if (tau >= 0) {
            rates(own, passed.data(), switches, time, f);
            for (int n = 0; n < N; n++) by_time += lambda[n] * f[n];
            V& sum = blocks.taub[at / LANES * N_TAU1 + tau];
            put(sum, own.lane, lane(sum, own.lane) + by_time);
        }
        for (int n = 0; n < N; n++) put(adjoint[n], l, lambda[n]);
    }

    void leave_stop(int l, int index) {
        const Stop& here = plan(l).stops[index];
        if (here.slot >= 0) add_measured(l, here.slot);
        if (here.segment < 0) return;
        if (here.jump_end > here.jump_begin || here.tau >= 0)
            turn_back(l, index, here.jump_begin, here.jump_end, here.tau, here.time, here.segment - 1);
        set_switches(l, here.segment - 1);
    }

    // Where a job begins: what is measured there, and events.
    void leave_start(int l) {
        Job& own = jobs[job[l]];
        const Condition& condition = kernel.conditions[own.condition];
        for (size_t slot = 0; slot < condition.times.size() && condition.times[slot] <= condition.start; slot++)
            add_measured(l, (int)slot);
        if (own.plan->start_jumps) turn_back(l, -1, 0, own.plan->start_jumps, -1, condition.start, 0);
        const size_t at = job[l] - begin, block = at / LANES;
        for (int n = 0; n < N; n++) put(blocks.x0b[block * N1 + n], at % LANES, lane(adjoint[n], l));
        for (int q = 0; q < N_C; q++) put(blocks.cb[block * N_C1 + q], at % LANES, lane(cb[q], l));
    }

    void step_back(Record& record) {
        Work& w = *kernel.work;
        const V zero = spread(0.0), reciprocal = vdiv(spread(1.0), record.h);
        const M on = record.kind > 0.5, real = on & (record.kind < 1.5);
        V* U = STORES_STAGES ? record.stages : w.U;
        if (STORES_STAGES) {
            model_decompose(record.y, c, record.t, h, reciprocal * (1.0 / GAMMA), w.J, w.LU);
        } else {
            step<true>(record.y, c, record.t, record.h, h, U, w.J, w.LU, w.ft, w.Y);
        }
        if (any(~real))
            for (int i = 0; i < STAGES; i++)
                for (int n = 0; n < N; n++) {
                    U[i * N + n] = choose(real, U[i * N + n], zero);
                    if (!STORES_STAGES) w.Y[i * N + n] = choose(real, w.Y[i * N + n], record.y[n]);
                }
        V sum_y[N1];  // the adjoint and all q so far
        for (int n = 0; n < N; n++) sum_y[n] = adjoint[n];
#pragma GCC unroll 8
        for (int i = STAGES - 1; i >= 0; i--) {
            V *v = w.v + i * N, *Y = w.Y + (STORES_STAGES ? 0 : i * N);
            V a[STAGES], b[STAGES];
            for (int j = i + 1; j < STAGES; j++) a[j] = held(j <= FIRST_OF_LAST ? A[j][i] : 0.0), b[j] = held(C[j][i]);
            for (int n = 0; n < N; n++) {
                V direct = i >= FIRST_OF_LAST ? sum_y[n] : a[FIRST_OF_LAST] * w.tail[n], later = spread(0.0);
#pragma GCC unroll 8
                for (int j = i + 1; j < STAGES; j++) {
                    if (j < FIRST_OF_LAST) direct += a[j] * w.q[j * N + n];
                    later += b[j] * w.v[j * N + n];
                }
                v[n] = direct + reciprocal * later;
            }
            model_solve_transposed(w.LU, v);
            for (int n = 0; n < N; n++) v[n] = choose(on, v[n], zero);
            if (STORES_STAGES)
                for (int n = 0; n < N; n++) {
                    V state = i >= FIRST_OF_LAST && i < STAGES - 1 ? Y[n] - U[i * N + n] : record.y[n];
                    if (i < FIRST_OF_LAST || i == STAGES - 1)
#pragma GCC unroll 8
                        for (int j = 0; j < i; j++)
                            if (A[i][j] != 0) state += A[i][j] * U[j * N + n];
                    Y[n] = state;
                }
            model_f_back(Y, c, record.t + C_TIME[i] * record.h, h, v, w.q + i * N, cb);
            for (int n = 0; n < N; n++) {
                sum_y[n] += w.q[i * N + n];
                if (i == FIRST_OF_LAST) w.tail[n] = sum_y[n];
            }
        }
        for (int e = 0; e < N_J; e++) {
            V product = w.v[J_ROW[e]] * U[J_COLUMN[e]];
#pragma GCC unroll 8
            for (int i = 1; i < STAGES; i++) product += w.v[i * N + J_ROW[e]] * U[i * N + J_COLUMN[e]];
            w.m[e] = product;
        }
        for (int e = 0; e < N_TIMED; e++) {
            V product = zero;
            for (int i = 0; i < STAGES; i++)
                if (D[i] != 0) product += D[i] * w.v[i * N + TIMED[e]];
            w.mt[e] = record.h * product;
        }
        model_jacobian_back(record.y, c, record.t, h, w.m, w.mt, sum_y, cb);
        for (int n = 0; n < N; n++) adjoint[n] = sum_y[n];
    }

    void run() {
        for (int l = 0; l < LANES; l++) job[l] = -1;
        for (V& one : adjoint) one = spread(0.0);
        for (V& one : c) one = spread(1.0);
        for (V& one : cb) one = spread(0.0);
        for (V& one : h) one = spread(0.0);
        for (size_t i = begin; i < end; i++)  // what is never integrated
            if (jobs[i].plan->stops.empty() && jobs[i].status == DONE) {
                enter(0, (int)i);
                leave_start(0);
            }
        for (size_t at = tape.length; at-- > 0;) {
            Record& record = tape.records[at];
            for (int l = 0; l < LANES; l++) {
                if (record.ends[l] >= 0) enter(l, record.ends[l]);
                if (record.stops[l] >= 0) leave_stop(l, record.stops[l]);
            }
            step_back(record);
            for (int l = 0; l < LANES; l++)
                if (record.begins[l] >= 0) leave_start(l);
        }
    }
};

void Kernel::backward(std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b, Tape& tape) {
    b.cb.zero(), b.x0b.zero(), b.taub.zero(), b.jump_pb.zero();
    Backward{*this, jobs, begin, end, b, tape}.run();
}

// Add the gradients of jobs, on the scales of theta, to those of their points, or to a row for each job.
void Kernel::collect(
    const Request& request, std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b, double* rows
) {
    for (size_t i = begin; i < end; i++) {  // initial states that come from pre-equilibration
        if (jobs[i].before < 0) continue;
        const int8_t* anew = conditions[jobs[i].condition].reset;
        double* to = &xb[before[jobs[i].before].states];
        for (int n = 0; n < N; n++) {
            V& own = b.x0b[(i - begin) / LANES * N1 + n];
            if (anew[n]) continue;
            if (jobs[i].status == DONE) to[n] += lane(own, (i - begin) % LANES);
            put(own, (i - begin) % LANES, 0);
        }
    }
    for (size_t first = begin; first < end; first += LANES) {
        const size_t block = (first - begin) / LANES;
        V pb[N_P1], t;
        for (int j = 0; j < N_P; j++) pb[j] = b.jump_pb[block * N_P1 + j];
        for (int l = 0; l < LANES; l++) put(t, l, conditions[jobs[std::min(first + l, end - 1)].condition].start);
        const V *p = &b.p[block * N_P1], *k = &b.k[block * N_K1];
        model_setup_back(p, k, t, &b.cb[block * N_C1], &b.ob[block * N_O1], &b.x0b[block * N1], pb);
        if (N_TAU && TIMES_MOVE) model_times_back(p, k, &b.taub[block * N_TAU1], pb);
        for (size_t i = first; i < std::min(first + LANES, end); i++) {
            if (jobs[i].status != DONE) continue;
            const Condition& condition = conditions[jobs[i].condition];
            double* gradient = rows ? rows + (i - begin) * request.parameters
                                    : request.gradient + (size_t)jobs[i].point * request.parameters;
            for (int j = 0; j < condition.mapped; j++) {
                const int own = condition.to_model[j];
                const double slope = slope_of_scale(lane(p[own], i - first), condition.scale[own]);
                gradient[condition.from_theta[j]] += slope * lane(pb[own], i - first);
            }
        }
    }
}

// ---- Fisher information ------------------------------------------------------------------------------------------

// Sensitivities of what depends on parameters alone, and of initial states, for a block of jobs.
void Kernel::differentiate(std::vector<Job>& jobs, size_t begin, size_t end, Blocks& b) {
    V t, dp[N_P1], own_dc[N_C1], own_dx0[N1];
    for (int l = 0; l < LANES; l++) put(t, l, conditions[jobs[std::min(begin + l, end - 1)].condition].start);
    for (V& one : dp) one = spread(0.0);
    d_o.resize((size_t)N_P1 * N_O1);
    dc.resize(active.size() * N_C1 + 1);
    s.resize(active.size() * N1 + 1);
    size_t a = 0;
    for (int j = 0; j < N_P; j++) {
        dp[j] = spread(1.0);
        model_setup_along(&b.p[0], &b.k[0], t, dp, own_dc, &d_o[(size_t)j * N_O1], own_dx0);
        dp[j] = spread(0.0);
        if (a == active.size() || active[a] != j) continue;
        for (int q = 0; q < N_C; q++) dc[a * N_C1 + q] = own_dc[q];
        for (int n = 0; n < N; n++) s[a * N1 + n] = own_dx0[n];
        for (size_t i = begin; i < end; i++) {
            if (jobs[i].before < 0) continue;
            const double* from = &sx[before[jobs[i].before].states * active.size() + a * N];
            for (int n = 0; n < N; n++)
                if (!conditions[jobs[i].condition].reset[n]) put(s[a * N1 + n], i - begin, from[n]);
        }
        a++;
    }
}

// Derivatives of a residual, the difference to what was measured on the scale of the observable over sigma.
void slopes_of_residual(int scale, V y, V measured, V sigma, V& by_y, V& by_s) {
    V residual = y - measured;
    by_y = spread(1.0) / sigma;
    if (scale != 0) {
        const double unit = scale == 1 ? 1.0 : 1 / LN10;
        residual = (vlog(y) - vlog(measured)) * unit;
        by_y = unit * by_y / y;
    }
    by_s = -residual / (sigma * sigma);
}

// Add gradient and Fisher information of a job: residuals' derivatives times each other.
void Kernel::inform(
    const Request& request, Job& job, size_t position, Blocks& b, double* gradient, double* information
) {
    const Condition& condition = conditions[job.condition];
    const int m = condition.mapped;
    Rows at(b, position);
    V y[N_Y1], s[N_Y1], dy[N_Y1], ds[N_Y1], dx[N1], own_do[N_O1];
    std::vector<double> slope(m);
    for (int j = 0; j < m; j++) {
        const int own = condition.to_model[j];
        const double value = lane(b.p[position / LANES * N_P1 + own], position % LANES);
        slope[j] = slope_of_scale(value, condition.scale[own]);
    }
    Aligned<V> residuals;
    for (int row = 0; row < condition.rows; row += LANES) {
        const std::vector<int>& observed = condition.observed[row / LANES];
        residuals.resize(m * observed.size() + 1);
        at.fill(condition, job, x.data(), row);
        model_observe(at.x, at.o, at.t, at.h, y, s);
        for (int j = 0; j < m; j++) {
            const int own = condition.to_model[j];
            const size_t a = std::lower_bound(active.begin(), active.end(), own) - active.begin();
            const bool drives = a < active.size() && active[a] == own;
            for (int l = 0; l < LANES; l++) {
                const int slot = condition.row_slot[std::min(row + l, condition.rows - 1)];
                const double* from = drives ? &sx[(job.states + (size_t)slot * N) * active.size() + a * N] : nullptr;
                for (int n = 0; n < N; n++) put(dx[n], l, drives ? from[n] : 0.0);
            }
            for (int q = 0; q < N_O; q++) own_do[q] = spread(lane(d_o[(size_t)own * N_O1 + q], position % LANES));
            model_observe_along(at.x, at.o, at.t, at.h, dx, own_do, dy, ds);
            V total = spread(0.0);
            for (size_t e = 0; e < observed.size(); e++) {
                const int i = observed[e];
                const size_t place = (size_t)i * condition.padded + row;
                const V measured = load(&condition.measured[place]), noise = load(&condition.noise[place]);
                const M has = measured == measured, known = noise == noise;
                const V sigma = choose(known, noise, s[i]), along = choose(known, spread(0.0), ds[i]);
                V loss, by_y, by_s;
                model_loss(LOSS_OF[i], y[i], measured, sigma, loss, by_y, by_s);
                total += choose(has, by_y * dy[i] + by_s * along, spread(0.0));
                slopes_of_residual(SCALE_OF[i], y[i], measured, sigma, by_y, by_s);
                const V change = by_y * dy[i] + by_s * along;
                residuals[j * observed.size() + e] = choose(has, change * slope[j], spread(0.0));
            }
            gradient[condition.from_theta[j]] += slope[j] * sum(total);
        }
        for (int i = 0; i < m; i++)
            for (int j = 0; j <= i; j++) {
                V product = spread(0.0);
                for (size_t e = 0; e < observed.size(); e++)
                    product += residuals[i * observed.size() + e] * residuals[j * observed.size() + e];
                const double value = sum(product);
                const size_t p = condition.from_theta[i], q = condition.from_theta[j];
                information[p * request.parameters + q] += value;
                if (i != j) information[q * request.parameters + p] += value;
            }
    }
}

// Derivatives of one residual of a job go to xb and the blocks' ob, as those of the likelihood do: zeros without it.
void Kernel::begin_back(const Job& job, size_t position, size_t residual) {
    const Condition& condition = conditions[job.condition];
    std::memset(&xb[job.states], 0, condition.times.size() * N * sizeof(double));
    if (job.status != DONE || residual >= condition.residuals.size()) return;
    const auto [row, i] = condition.residuals[residual];
    const int l = row % LANES;
    Rows at(blocks, position);
    V y[N_Y1], s[N_Y1], yb[N_Y1], sb[N_Y1], own_xb[N1], ob[N_O1], by_y, by_s;
    at.fill(condition, job, x.data(), row - l);
    model_observe(at.x, at.o, at.t, at.h, y, s);
    const size_t place = (size_t)i * condition.padded + row;
    const double noise = condition.noise[place];
    const bool known = noise == noise;
    slopes_of_residual(
        SCALE_OF[i], y[i], spread(condition.measured[place]), known ? spread(noise) : s[i], by_y, by_s
    );
    for (V& one : ob) one = spread(0.0);
    for (int o = 0; o < N_Y; o++) yb[o] = sb[o] = spread(0.0);
    put(yb[i], l, lane(by_y, l));
    if (!known) put(sb[i], l, lane(by_s, l));
    model_observe_back(at.x, at.o, at.t, at.h, yb, sb, own_xb, ob);
    double* to = &xb[job.states + (size_t)condition.row_slot[row] * N];
    for (int n = 0; n < N; n++) to[n] = lane(own_xb[n], l);
    for (int q = 0; q < N_O; q++) put(blocks.ob[position / LANES * N_O1 + q], position % LANES, lane(ob[q], l));
}

// Add the Fisher information of jobs without pre-equilibration, whose steps are on the tape: an adjoint per residual.
void Kernel::inform_back(const Request& request, size_t begin, size_t end) {
    const size_t n = request.parameters;
    size_t most = 0;
    for (size_t i = begin; i < end; i++) most = std::max(most, conditions[jobs[i].condition].residuals.size());
    std::vector<double> rows((end - begin) * n);
    for (size_t residual = 0; residual < most; residual++) {
        blocks.ob.zero();
        for (size_t i = begin; i < end; i++) begin_back(jobs[i], i - begin, residual);
        backward(jobs, begin, end, blocks, tape);
        std::fill(rows.begin(), rows.end(), 0.0);
        collect(request, jobs, begin, end, blocks, rows.data());
        for (size_t i = begin; i < end; i++) {
            if (jobs[i].status != DONE) continue;
            const double* row = &rows[(i - begin) * n];
            double* information = request.information + jobs[i].point * n * n;
            const std::vector<int>& own = conditions[jobs[i].condition].thetas;
            for (int p : own)
                for (int q : own) information[p * n + q] += row[p] * row[q];
        }
    }
}

// ---- All together ------------------------------------------------------------------------------------------------

void Kernel::evaluate(const Request& request) {
    if (!work) {
        work = (Work*)std::aligned_alloc(128, (sizeof(Work) + 127) / 128 * 128);
        if (!work) throw std::bad_alloc();
        std::memset((void*)work, 0, sizeof(Work));
    }
    jobs.clear();
    before.clear();
    for (int64_t i = 0; i < request.pairs; i++) {
        Job job;
        job.condition = request.condition[i];
        job.point = request.point[i];
        if (conditions[job.condition].preequilibration >= 0) {
            Job earlier;
            earlier.condition = conditions[job.condition].preequilibration;
            earlier.point = job.point;
            auto same = [&](const Job& one) { return one.condition == earlier.condition && one.point == earlier.point; };
            const auto found = std::find_if(before.begin(), before.end(), same);
            job.before = (int)(found - before.begin());
            if (found == before.end()) before.push_back(earlier);
        }
        jobs.push_back(job);
    }
    const bool informs = request.order == INFORMATION, by_adjoints = request.order == INFORMATION_BY_ADJOINTS;
    const bool differentiates = request.order == GRADIENT || by_adjoints;
    if (informs) {
        active.clear();
        std::vector<bool> estimated(N_P1, false);
        for (const Job& job : jobs)
            for (int j = 0; j < conditions[job.condition].mapped; j++)
                estimated[conditions[job.condition].to_model[j]] = true;
        for (int q = 0; q < N_DRIVING; q++)
            if (estimated[DRIVING[q]]) active.push_back(DRIVING[q]);
        std::sort(active.begin(), active.end());
    }
    const size_t at_once = informs ? LANES : differentiates ? JOBS_AT_ONCE : VALUES_AT_ONCE, n_before = before.size();
    auto run = [&](std::vector<Job>& own, size_t begin, size_t end, Blocks& b, Tape& tape, std::vector<Plan>& made) {
        prepare(request, own, begin, end, b, made);
        start_after(own, begin, end, b);
        if (informs) {
            const size_t room = x.size() * active.size() + 1;
            if (sx.size() < room) sx.resize(room);
            differentiate(own, begin, end, b);
            forward<INFORMATION>(own, begin, end, b, tape);
        } else if (differentiates) {
            if (xb.size() < x.size()) xb.resize(x.size());
            forward<GRADIENT>(own, begin, end, b, tape);
        } else {
            forward<VALUE>(own, begin, end, b, tape);
        }
    };
    const size_t at_once_before = informs ? (size_t)LANES : n_before;
    for (size_t begin = 0; begin < n_before; begin += at_once_before) {
        before[begin].states = begin * N;
        run(before, begin, std::min(begin + at_once_before, n_before), blocks_before, tape_before, plans_before);
    }
    if (differentiates) std::fill(xb.begin(), xb.begin() + std::min(xb.size(), n_before * N), 0.0);
    double *y = request.y, *sigma = request.sigma;
    for (size_t begin = 0; begin < jobs.size(); begin += at_once) {
        const size_t end = std::min(begin + at_once, jobs.size());
        jobs[begin].states = n_before * N;
        run(jobs, begin, end, blocks, tape, plans);
        if (differentiates) blocks.ob.zero();
        for (size_t i = begin; i < end; i++) {
            const size_t position = i - begin;
            const Condition& condition = conditions[jobs[i].condition];
            double value = INF;
            if (jobs[i].status == DONE) value = likelihood(request, jobs[i], position, blocks, differentiates, y, sigma);
            if (!std::isfinite(value)) {
                value = INF;
                if (jobs[i].status == DONE && !y) jobs[i].status = NOT_FINITE;  // a simulation is one all the same
            }
            if (jobs[i].status != DONE && differentiates)
                std::memset(&xb[jobs[i].states], 0, condition.times.size() * N * sizeof(double));
            if (jobs[i].status == DONE && informs) {
                const size_t n = request.parameters, point = jobs[i].point;
                double *gradient = request.gradient + point * n, *information = request.information + point * n * n;
                inform(request, jobs[i], position, blocks, gradient, information);
            }
            request.value[i] = value;
            request.status[i] = jobs[i].status;
            request.attempts[i] = jobs[i].attempts;
            if (y) {
                const size_t length = (size_t)condition.rows * N_Y;
                if (jobs[i].status != DONE) std::fill(y, y + length, NONE), std::fill(sigma, sigma + length, NONE);
                y += length, sigma += length;
            }
        }
        if (differentiates) {
            backward(jobs, begin, end, blocks, tape);
            collect(request, jobs, begin, end, blocks);
        }
        if (by_adjoints) inform_back(request, begin, end);
    }
    if (differentiates && n_before) {
        blocks_before.ob.zero();
        backward(before, 0, n_before, blocks_before, tape_before);
        collect(request, before, 0, n_before, blocks_before);
    }
}

}  // namespace

struct Data {  // of a problem, as in problem.py; arrays of conditions, and of rows of measurements
    int64_t conditions;
    const double *start, *k, *base;
    const int8_t *scale, *reset;
    const int *preequilibration, *mapping_end, *to_model, *from_theta, *row_end;
    const double *time, *measured, *noise;
};

extern "C" {

void kernel_sizes(int64_t* sizes) {
    const int64_t own[] = {N, N_P, N_K, N_Y, LANES, N_J, N_LU, STAGES, (int64_t)sizeof(Record)};
    std::memcpy(sizes, own, sizeof own);
}

void* kernel_new(const Data* data) try {
    Kernel* kernel = new Kernel;
    const size_t n = data->conditions;
    kernel->conditions.resize(n);
    kernel->k.assign(data->k, data->k + n * N_K);
    kernel->base.assign(data->base, data->base + n * N_P);
    kernel->scale.assign(data->scale, data->scale + n * N_P);
    kernel->reset.assign(data->reset, data->reset + n * N);
    const int mapped = n ? data->mapping_end[n - 1] : 0;
    kernel->to_model.assign(data->to_model, data->to_model + mapped);
    kernel->from_theta.assign(data->from_theta, data->from_theta + mapped);
    for (size_t i = 0; i < n; i++)
        if (data->preequilibration[i] >= 0) kernel->conditions[data->preequilibration[i]].is_preequilibration = true;
    for (size_t i = 0; i < n; i++) {
        Condition& condition = kernel->conditions[i];
        const int begin = i ? data->mapping_end[i - 1] : 0, first = i ? data->row_end[i - 1] : 0;
        condition.start = data->start[i];
        condition.k = kernel->k.data() + i * N_K;
        condition.base = kernel->base.data() + i * N_P;
        condition.scale = kernel->scale.data() + i * N_P;
        condition.reset = kernel->reset.data() + i * N;
        condition.to_model = kernel->to_model.data() + begin;
        condition.from_theta = kernel->from_theta.data() + begin;
        condition.mapped = data->mapping_end[i] - begin;
        condition.preequilibration = data->preequilibration[i];
        const int rows = condition.rows = data->row_end[i] - first;
        const double* time = data->time + first;
        condition.times.assign(time, time + rows);
        std::sort(condition.times.begin(), condition.times.end());
        condition.times.erase(std::unique(condition.times.begin(), condition.times.end()), condition.times.end());
        const int padded = condition.padded = (rows + LANES - 1) / LANES * LANES;
        condition.measured.assign((size_t)N_Y * padded, NONE);
        condition.noise.assign((size_t)N_Y * padded, NONE);
        condition.observed.resize(padded / LANES);
        for (int row = 0; row < rows; row++) {
            condition.row_slot.push_back(
                (int)(std::lower_bound(condition.times.begin(), condition.times.end(), time[row]) - condition.times.begin())
            );
            for (int o = 0; o < N_Y; o++) {
                const size_t from = (size_t)(first + row) * N_Y + o;
                condition.measured[(size_t)o * padded + row] = data->measured[from];
                condition.noise[(size_t)o * padded + row] = data->noise[from];
                std::vector<int>& seen = condition.observed[row / LANES];
                if (data->measured[from] != data->measured[from]) continue;
                condition.residuals.emplace_back(row, o);
                if (std::find(seen.begin(), seen.end(), o) == seen.end()) seen.push_back(o);
            }
        }
        condition.thetas.assign(condition.from_theta, condition.from_theta + condition.mapped);
        std::sort(condition.thetas.begin(), condition.thetas.end());
        condition.thetas.erase(
            std::unique(condition.thetas.begin(), condition.thetas.end()), condition.thetas.end()
        );
    }
    // Base parameters stand for all; experiments look at the plans of their pre-equilibrations.
    for (Condition& condition : kernel->conditions)
        if (condition.is_preequilibration) kernel->make_plan(condition, condition.base, condition.plan);
    for (Condition& condition : kernel->conditions)
        if (!TIMES_MOVE && !condition.is_preequilibration) kernel->make_plan(condition, condition.base, condition.plan);
    return kernel;
} catch (const std::bad_alloc&) {
    return nullptr;
}

void kernel_free(void* kernel) { delete (Kernel*)kernel; }

void kernel_options(void* handle, double relative, double absolute, int64_t most_attempts) {
    Kernel* kernel = (Kernel*)handle;
    kernel->relative = relative, kernel->absolute = absolute, kernel->most_attempts = (int)most_attempts;
}

// Returns 0, or 1 where memory is short. Gradient and information are added to.
int kernel_evaluate(void* kernel, const Request* request) try {
    ((Kernel*)kernel)->evaluate(*request);
    return 0;
} catch (const std::bad_alloc&) {
    return 1;
}

void kernel_counts(void* kernel, int64_t* counts) {
    std::memcpy(counts, ((Kernel*)kernel)->counts, sizeof ((Kernel*)kernel)->counts);
}
}
