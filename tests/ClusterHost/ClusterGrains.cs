using Orleans;
using Orleans.Placement;
using Orleans.Runtime;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.ClusterHost;

/// <summary>Where grains write down what happens to them, for tests in the same process.</summary>
public interface IDiary
{
    void Say(string what);
}

public sealed record Note(string Text, int Number, Note? Next);

public sealed class OverdrawnException(string account, int balance) : Exception($"{account} has {balance}")
{
    public string Account => account;

    public int Balance => balance;
}

/// <summary>Remembers in its state what it was told, and where it is.</summary>
public interface IAccountGrain : IGrainWithStringKey
{
    /// <summary>The silo that it is on.</summary>
    Task<string> WhereAsync();

    /// <summary>Adds to the stored total and returns it.</summary>
    Task<int> AddAsync(int amount);

    Task<Note> EchoAsync(Note note, IReadOnlyList<int> numbers, DateTimeOffset time);

    Task FailAsync(string how);

    Task WaitAsync(CancellationToken cancellationToken);

    Task<string> CallAsync(string other);

    Task<int> LengthAsync(string text);

    Task LeaveAsync();

    /// <summary>Adds a hundred times a second from now on, whether anybody asks or not.</summary>
    Task AddOftenAsync();
}

public sealed class AccountState
{
    public int Total { get; set; }
}

internal sealed class AccountGrain([PersistentState("account")] IPersistentState<AccountState> state, IClusterMembership membership, IDiary diary) : Grain, IAccountGrain
{
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        diary.Say($"activated {this.GetPrimaryKeyString()}");
        return Task.CompletedTask;
    }

    public Task<string> WhereAsync() => Task.FromResult(membership.LocalSilo!);

    public async Task<int> AddAsync(int amount)
    {
        state.State.Total += amount;
        await state.WriteStateAsync();
        return state.State.Total;
    }

    public Task<Note> EchoAsync(Note note, IReadOnlyList<int> numbers, DateTimeOffset time) =>
        Task.FromResult(new Note($"{note.Text} {time:O}", numbers.Sum(), note));

    public Task FailAsync(string how) => how switch
    {
        "account" => throw new OverdrawnException("a1", 17),
        "argument" => throw new ArgumentException("not that", nameof(how)),
        "platform" => throw new PlatformException(ErrorCode.ConcurrencyLimit, "Five calls are the most.") { RetryAfter = TimeSpan.FromSeconds(7) },
        "input" => throw new InvalidInputException(Problems()),
        "private" => throw new PrivateException(Stream.Null),
        _ => throw new InvalidOperationException(how),
    };

    private static InputErrors Problems()
    {
        var errors = new InputErrors();
        errors.AddNonField("Two fields exclude each other.");
        errors.Field("medium").Field("sampleRate").Add("Must be between 8000 and 48000 Hz.");
        errors.Field("tools").Item(2).Field("name").Add("Must not be blank.");
        return errors;
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        diary.Say("waiting");
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            diary.Say("cancelled");
        }
    }

    public async Task<string> CallAsync(string other) => $"{await GrainFactory.GetGrain<IAccountGrain>(other).WhereAsync()}";

    public Task<int> LengthAsync(string text) => Task.FromResult(text.Length);

    public Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task AddOftenAsync()
    {
        this.RegisterGrainTimer(() => AddAsync(1), new() { DueTime = TimeSpan.Zero, Period = TimeSpan.FromMilliseconds(10) });
        return Task.CompletedTask;
    }

    private sealed class PrivateException : Exception
    {
        public PrivateException(Stream where) : base($"for no one else {where.Length}")
        {
        }
    }
}

public interface ILocalGrain : IGrainWithStringKey
{
    Task<string> WhereAsync();
}

[PreferLocalPlacement]
internal sealed class LocalGrain(IClusterMembership membership) : Grain, ILocalGrain
{
    public Task<string> WhereAsync() => Task.FromResult(membership.LocalSilo!);
}

public interface IMediaGrain : IGrainWithStringKey
{
    Task<string> WhereAsync();
}

internal sealed class MediaGrain(IClusterMembership membership) : Grain, IMediaGrain
{
    public Task<string> WhereAsync() => Task.FromResult(membership.LocalSilo!);
}

public interface IBellGrain : IGrainWithStringKey, IRemindable
{
    Task SetAsync(TimeSpan dueTime, TimeSpan period);
}

internal sealed class BellGrain(IDiary diary) : Grain, IBellGrain
{
    public Task SetAsync(TimeSpan dueTime, TimeSpan period) => this.RegisterOrUpdateReminder("bell", dueTime, period);

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        diary.Say($"rang {this.GetPrimaryKeyString()}");
        return Task.CompletedTask;
    }
}

/// <summary>Keeps every number that it was given, in order: what a test can hold against what was acknowledged.</summary>
public interface IJournalGrain : IGrainWithStringKey
{
    /// <summary>Writes the number down. Acknowledged when it is stored.</summary>
    Task AppendAsync(int number);

    Task<string> WhereAsync();
}

public sealed class JournalState
{
    public List<int> Entries { get; set; } = [];
}

internal sealed class JournalGrain([PersistentState("journal")] IPersistentState<JournalState> state, IClusterMembership membership) : Grain, IJournalGrain
{
    public Task AppendAsync(int number)
    {
        state.State.Entries.Add(number);
        return state.WriteStateAsync();
    }

    public Task<string> WhereAsync() => Task.FromResult(membership.LocalSilo!);
}

/// <summary>Without a state: all that a call to it takes is the runtime's.</summary>
public interface IEchoGrain : IGrainWithStringKey
{
    Task<string> EchoAsync(string text);
}

internal sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<string> EchoAsync(string text) => Task.FromResult(text);
}

/// <summary>In memory what a call is that waits for its client: a state of some size and a timer for its end.</summary>
public interface ICallLikeGrain : IGrainWithStringKey
{
    Task BeginAsync(IReadOnlyList<string> messages);

    Task LeaveAsync();
}

public sealed class CallLikeState
{
    public List<string> Messages { get; set; } = [];
}

internal sealed class CallLikeGrain([PersistentState("call")] IPersistentState<CallLikeState> state) : Grain, ICallLikeGrain
{
    public Task BeginAsync(IReadOnlyList<string> messages)
    {
        state.State.Messages = [.. messages];
        this.RegisterGrainTimer(LeaveAsync, new() { DueTime = TimeSpan.FromHours(1), Period = Timeout.InfiniteTimeSpan });
        return state.WriteStateAsync();
    }

    public Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
