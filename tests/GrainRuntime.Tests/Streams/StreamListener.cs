using Orleans.Streams;
using VoiceGrains.GrainRuntime.Streams;

namespace VoiceGrains.GrainRuntime.Tests.Streams;

/// <summary>Writes down what a subscriber hears.</summary>
internal sealed class StreamListener<T> : IAsyncObserver<T>
{
    private readonly Lock _gate = new();
    private readonly List<string> _heard = [];
    private TaskCompletionSource? _held;

    public bool Waiting { get; private set; }

    public IReadOnlyList<string> Heard
    {
        get
        {
            lock (_gate)
                return [.. _heard];
        }
    }

    public void Hold() => _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _held!.SetResult();

    public Task TakeAsync(T item, StreamSequenceToken? token) => OnNextAsync(item, token);

    public async Task OnNextAsync(T item, StreamSequenceToken? token = null)
    {
        if (_held is { } held)
        {
            Waiting = true;
            await held.Task;
        }
        await Add($"{item}#{token!.SequenceNumber}");
    }

    public Task OnCompletedAsync() => Add("completed");

    public Task OnErrorAsync(Exception ex) => Add(ex switch
    {
        StreamGapException { AtLeast: true } gap => $"gap of {gap.Dropped} or more",
        StreamGapException gap => $"gap of {gap.Dropped}",
        StreamInterruptedException => "interrupted",
        _ => $"error {ex.Message}",
    });

    private Task Add(string what)
    {
        lock (_gate)
            _heard.Add(what);
        return Task.CompletedTask;
    }
}
