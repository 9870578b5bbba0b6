using System.Data.Common;
using System.Text.Json;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>
/// A writer that appends number after number to a journal grain, whatever happens around it, and knows which were acknowledged. A number whose
/// outcome is not known is not tried again.
/// </summary>
internal sealed class JournalWriter(IGrainFactory grains, string key) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<int> _acknowledged = [];
    private Task _writing = Task.CompletedTask;
    private int _next;
    private int _count;

    public string Key => key;

    public IJournalGrain Grain => grains.GetGrain<IJournalGrain>(key);

    /// <summary>How many numbers are acknowledged so far.</summary>
    public int Acknowledged => Volatile.Read(ref _count);

    /// <summary>Begins to write, without an end.</summary>
    public JournalWriter Start()
    {
        _writing = Task.Run(WriteAsync);
        return this;
    }

    /// <summary>Waits until more numbers are acknowledged from now on: the grain serves.</summary>
    public Task GoesOnAsync()
    {
        var before = Acknowledged;
        return RuntimeHost.EventuallyAsync(() => Acknowledged >= before + 5, $"journal {key} goes on");
    }

    /// <summary>Stops writing and asserts that every acknowledged number is in the database once and in order, and no other one twice.</summary>
    public async Task AssertKeptAsync(ClusterFixture cluster)
    {
        await StopAsync();
        var stored = await cluster.ScalarAsync<string>($"SELECT state->>'entries' FROM grain_state WHERE grain_type = 'journal' AND grain_key = '{key}'");
        var entries = JsonSerializer.Deserialize<int[]>(stored)!;
        Assert.NotEmpty(_acknowledged);
        Assert.Equal(entries.Order().Distinct(), entries);
        Assert.Equal([], _acknowledged.Except(entries));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _writing;
    }

    // Anything else is a fault of its own, and stopping throws it.
    private static bool MayHappen(Exception exception) =>
        exception is SiloUnavailableException or TimeoutException or InconsistentStateException or OperationCanceledException or DbException
        || exception is RemoteGrainException { TypeName: var type } && type.StartsWith("Npgsql.", StringComparison.Ordinal);

    private async Task WriteAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            var number = ++_next;
            try
            {
                await Grain.AppendAsync(number).WaitAsync(_stopping.Token);
                _acknowledged.Add(number);
                Volatile.Write(ref _count, _acknowledged.Count);
            }
            catch (Exception exception) when (MayHappen(exception))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }
        }
    }
}
