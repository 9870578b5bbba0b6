using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>The journal against a real PostgreSQL of its own, which these tests stop and start.</summary>
public sealed class CallJournalTests(RestartablePostgres server) : IClassFixture<RestartablePostgres>, IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private NpgsqlDataSource _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        await ExecuteAsync(CallTables.Sql);
        await ExecuteAsync("insert into calls (call_id, account_id, created, metadata, summary_pending, document) select 'c' || n, 'a', now(), '{}', false, '{}' from generate_series(1, 3) n");
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Flush_CompletesWhenWhatWasWrittenIsStored()
    {
        await using var journal = await StartAsync(new CallJournalOptions { Linger = TimeSpan.FromMinutes(5) });
        journal.Value.Write("c1", 0, Message(0, "hello"));
        journal.Value.Write(0, Event("c1", "first"));
        await journal.Value.FlushAsync("c1", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(["0:hello"], await MessagesAsync("c1"));
        Assert.Equal(["first"], await EventsAsync("c1"));
        await journal.Value.FlushAsync("c1", Cancel);
    }

    [Fact]
    public async Task TheNewestVersionOfAMessageStays()
    {
        await using var journal = await StartAsync(new CallJournalOptions { BatchSize = 3 });
        foreach (var words in (string[])["one", "one two", "one two three", "one two"]) journal.Value.Write("c1", 0, Message(0, words));
        journal.Value.Write("c1", 0, Message(1, "yes"));
        await journal.Value.FlushAsync("c1", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(["0:one two", "1:yes"], await MessagesAsync("c1"));
    }

    [Fact]
    public async Task WhileTheDatabaseIsAway_NothingIsLostAndOrderIsKept()
    {
        await using var journal = await StartAsync(new CallJournalOptions { BatchSize = 7, LongestRetryDelay = TimeSpan.FromMilliseconds(200) });
        for (var i = 0; i < 20; i++) Write(i);
        await journal.Value.FlushAsync("c1", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        await server.StopAsync();
        for (var i = 20; i < 60; i++) Write(i);
        var flushed = journal.Value.FlushAsync("c1", Cancel);
        await PollAsync(() => journal.Failures.Value > 0);
        Assert.False(flushed.IsCompleted);
        for (var i = 60; i < 70; i++) Write(i);
        await server.StartAsync();

        await flushed.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await journal.Value.FlushAsync("c1", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(Enumerable.Range(0, 70).Select(i => $"event {i}"), await EventsAsync("c1"));
        Assert.Equal(Enumerable.Range(0, 70).Select(i => $"{i}:message {i}"), await MessagesAsync("c1"));

        void Write(int i)
        {
            journal.Value.Write(0, Event("c1", $"event {i}"));
            journal.Value.Write("c1", 0, Message(i, $"message {i}"));
        }
    }

    [Fact]
    public async Task AStoppingSilo_StoresWhatIsLeft()
    {
        await using (var journal = await StartAsync(new CallJournalOptions { Linger = TimeSpan.FromMinutes(5) }))
        {
            journal.Value.Write("c1", 0, Message(0, "last words"));
            await journal.Value.StopAsync(Cancel);
        }
        Assert.Equal(["0:last words"], await MessagesAsync("c1"));
    }

    [Fact]
    public async Task AStoppingSilo_GivesUpInTimeWhenTheDatabaseIsAway()
    {
        await using var journal = await StartAsync(new CallJournalOptions { ShutdownTimeout = TimeSpan.FromMilliseconds(300) });
        await server.StopAsync();
        journal.Value.Write("c1", 0, Message(0, "lost"));
        await journal.Value.StopAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await server.StartAsync();
        _database.Clear();      // connections of before the stop are dead
        Assert.Empty(await MessagesAsync("c1"));
    }

    [Fact]
    public async Task AnEntryThatTheDatabaseRefuses_DoesNotKeepOthersOut()
    {
        await ExecuteAsync("alter table call_events add check (type <> 'too long'), alter column type type varchar(10)");
        await using var journal = await StartAsync(new CallJournalOptions { Linger = TimeSpan.FromMinutes(5) });
        journal.Value.Write(0, Event("c1", "before"));
        journal.Value.Write(0, Event("c1", "poison") with { Type = new string('t', 11) });
        journal.Value.Write(0, Event("c1", "after"));
        await journal.Value.FlushAsync("c1", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(["before", "after"], await EventsAsync("c1"));
    }

    [Fact]
    public async Task ZeroCharacters_AreLeftOut_AndOnlyThose()
    {
        await using var journal = await StartAsync(new CallJournalOptions());
        journal.Value.Write("c1", 0, Message(0, "a\0b\\u0000\\\0c"));
        await journal.Value.FlushAsync("c1", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(["0:ab\\u0000\\c"], await MessagesAsync("c1"));
    }

    [Fact]
    public async Task NothingOfADeletedCall_ComesBack()
    {
        await using var journal = await StartAsync(new CallJournalOptions());
        journal.Value.Write("deleted", 0, Message(0, "late"));
        journal.Value.Write(0, Event("deleted", "late"));
        journal.Value.Write("c2", 0, Message(0, "here"));
        await journal.Value.FlushAsync("c2", Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Empty(await MessagesAsync("deleted"));
        Assert.Empty(await EventsAsync("deleted"));
        Assert.Equal(["0:here"], await MessagesAsync("c2"));
    }

    private async Task<RunningJournal> StartAsync(CallJournalOptions options)
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        var journal = new CallJournal(_database, Options.Create(options), meters, TimeProvider.System, NullLogger<CallJournal>.Instance);
        var failures = new CounterProbe(meters, "voicegrains.journal.failures");
        await journal.StartAsync(Cancel);
        return new RunningJournal(journal, failures);
    }

    private static Message Message(int index, string text)
        => new() { Role = MessageRole.Agent, Text = text, CallStageMessageIndex = index, CallStageId = "s1", Medium = MessageMedium.Voice };

    private static CallEvent Event(string callId, string text) => new(callId, "s1", TimeSpan.FromSeconds(1), Severity.Info, "test", text, null, null);

    private Task<List<string>> MessagesAsync(string callId)
        => QueryAsync("select index || ':' || (document->>'text') from call_messages where call_id = $1 order by index", callId);

    private Task<List<string>> EventsAsync(string callId)
        => QueryAsync("select document->>'text' from call_events where call_id = $1 order by id", callId);

    private async Task<List<string>> QueryAsync(string sql, string callId)
    {
        await using var command = _database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = callId });
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancel)) rows.Add(reader.GetString(0));
        return rows;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static async Task PollAsync(Func<bool> isTrue)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (!isTrue()) await Task.Delay(20, deadline.Token);
    }

    private sealed record RunningJournal(CallJournal Value, CounterProbe Failures) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Value.StopAsync(CancellationToken.None);
            Value.Dispose();
            Failures.Dispose();
        }
    }

    /// <summary>Sums one counter of one meter factory.</summary>
    private sealed class CounterProbe : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _sum;

        public CounterProbe(IMeterFactory meters, string name)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == name && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _sum, value));
            _listener.Start();
        }

        public long Value => Interlocked.Read(ref _sum);

        public void Dispose() => _listener.Dispose();
    }
}
