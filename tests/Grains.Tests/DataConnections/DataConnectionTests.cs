using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.DataConnections;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Grains.Tests.Conversations;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.DataConnections;

/// <summary>One data connection on a fake clock: attempts, losses, bounds and its end.</summary>
public sealed class DataConnectionTests : IAsyncDisposable, IDataConnectionListener
{
    private readonly ManualClock _clock = new();
    private readonly PumpScheduler _pump = new();
    private readonly DataConnectionOptions _options = new() { MessageQueueBytes = 1_000 };
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly DataConnectionQueue _queue = new(1_000);
    private readonly ConcurrentQueue<ConnectionNotice> _notices = new();
    private readonly ConcurrentQueue<string> _received = new();
    private readonly FakeServer _server;
    private readonly DataConnection _connection;

    public DataConnectionTests()
    {
        _server = new FakeServer(_clock);
        _connection = new DataConnection(
            "call", new DataConnectionConfig { WebsocketUrl = "wss://data.example", Headers = new Dictionary<string, string> { ["x-ultravox-signature"] = "forged", ["X-Mine"] = "1" } }, ["one", "two"], _queue, null, _server, _options,
            new DataConnectionMetrics(_services.GetRequiredService<IMeterFactory>()), _clock, this, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        var disposal = Run(() => _connection.DisposeAsync().AsTask());
        Until(() => disposal.IsCompleted);
        await disposal;
        await _services.DisposeAsync();
    }

    void IDataConnectionListener.OnConnectionData(ReadOnlySpan<byte> json) => _received.Enqueue(Encoding.UTF8.GetString(json));

    void IDataConnectionListener.OnConnectionNotice(ConnectionNotice notice) => _notices.Enqueue(notice);

    [Fact]
    public void WhatIsSaidWhileItConnects_IsSentOnceItIsOpen()
    {
        var accepts = new TaskCompletionSource();
        _server.Accepts = accepts.Task;
        Start();
        Send("one");
        Send("two");
        Assert.True(_connection.TakesInvocations);
        accepts.SetResult();
        Until(() => _server.Sockets is [{ } socket] && socket.Texts.SequenceEqual(["one", "two"]));
        Send("three");
        Until(() => _server.Sockets[0].Texts.SequenceEqual(["one", "two", "three"]));
        Assert.Equal(["data_connection_open"], Events);
    }

    [Fact]
    public void EachAttempt_IsSignedWithTheCallsSecrets_WhateverTheCustomersOwnHeadersSay()
    {
        _server.Refuses = attempt => attempt == 1 ? new DataConnectionException("It answered with status 503.", isFinal: false) : null;
        Start();
        Until(() => _server.Attempts.Count == 1);
        var first = _server.Headers;
        AdvanceUntil(() => _server.Sockets.Count == 1);
        var timestamp = _server.Headers["X-Ultravox-Signature-Timestamp"];
        Assert.NotEqual(first["X-Ultravox-Signature-Timestamp"], timestamp);
        Assert.Equal(("call", "1", WebhookSignature.Sign([], timestamp, ["one", "two"])), (_server.Headers["X-Ultravox-Call-ID"], _server.Headers["X-Mine"], _server.Headers["X-Ultravox-Signature"]));
        Assert.Equal(4, _server.Headers.Count);
    }

    [Fact]
    public void Attempts_ComeEverMoreSlowly_AndAreToldEverMoreRarely()
    {
        _server.Refuses = attempt => attempt <= 10 ? new DataConnectionException("It answered with status 503.", isFinal: false) : null;
        Start();
        AdvanceUntil(() => _server.Sockets.Count == 1);
        var pauses = _server.Attempts.Zip(_server.Attempts.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        double[] expected = [0.25, 0.5, 1, 2, 4, 8, 10, 10, 10, 10];
        Assert.All(pauses.Zip(expected), pause => Assert.InRange(pause.First, 0.79 * pause.Second, 1.21 * pause.Second + 0.1));
        Until(() => _notices.Count == 5);
        Assert.Equal(["data_connection_failed", "data_connection_failed", "data_connection_failed", "data_connection_failed", "data_connection_open"], Events);
        Assert.Contains("after 10 failed attempts", _notices.Last().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatMayNeverBeOpened_IsNotTriedAgain()
    {
        _server.Refuses = _ => new DataConnectionException("Host 'inside' leads to a private address.", isFinal: true);
        Start();
        Until(() => !_notices.IsEmpty);
        _clock.Advance(TimeSpan.FromHours(1));
        Send("nobody hears this");
        Assert.Single(_server.Attempts);
        var refused = _notices.Single();
        Assert.Equal((Severity.Error, "data_connection_refused"), (refused.Severity, refused.Type));
        Assert.False(_connection.TakesInvocations);
    }

    [Fact]
    public void AServerThatNeverAnswers_IsGivenUp_AndTriedAgain()
    {
        _server.Accepts = new TaskCompletionSource().Task;
        Start();
        AdvanceUntil(() => _server.Attempts.Count == 2);
        Assert.InRange(_server.Attempts[1].TotalSeconds, 10.2, 10.6);
        Assert.Contains("did not answer within 10 s", _notices.Single().Text, StringComparison.Ordinal);
        Assert.False(_connection.TakesInvocations);
    }

    [Fact]
    public void AServerThatClosesAtOnce_IsNotHammered()
    {
        Start();
        for (var i = 0; i < 6; i++)
        {
            AdvanceUntil(() => _server.Sockets.Count == i + 1);
            _server.Sockets[i].Close();
            Until(() => _server.Sockets[i].IsAborted);
            Assert.Equal(WebSocketCloseStatus.NormalClosure, _server.Sockets[i].ClosedWith);
        }
        var pauses = _server.Attempts.Zip(_server.Attempts.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.All(pauses.Zip([0.25, 0.5, 1, 2, 4]), pause => Assert.InRange(pause.First, 0.79 * pause.Second, 1.21 * pause.Second + 0.1));

        // One that lived is a new beginning.
        AdvanceUntil(() => _server.Sockets.Count == 7);
        _clock.Advance(TimeSpan.FromSeconds(6));
        _server.Sockets[6].Close();
        Until(() => _server.Sockets[6].IsAborted);
        AdvanceUntil(() => _server.Sockets.Count == 8);
        Assert.InRange((_server.Attempts[7] - _server.Attempts[6]).TotalSeconds, 6.19, 6.5);
    }

    [Fact]
    public void AServerThatStopsReading_IsLeft_AndToldWhatItMissed()
    {
        Start();
        Until(() => _server.Sockets.Count == 1);
        var slow = _server.Sockets[0];
        slow.Reads = new TaskCompletionSource().Task;
        Send("under way");
        for (var i = 0; i < 11; i++) Send(new string('x', 100));     // ten wait, one is too many
        Until(() => slow.IsAborted);
        Send("later");
        AdvanceUntil(() => _server.Sockets.Count == 2);
        Until(() => _server.Sockets[1].Texts.SequenceEqual(["later"]));
        Until(() => _notices.Count == 3);
        Assert.Equal(["data_connection_open", "data_connection_lost", "data_connection_open"], Events);
        Assert.Contains("too slow", _notices.ElementAt(1).Text, StringComparison.Ordinal);
        Assert.Contains("11 messages", _notices.ElementAt(2).Text, StringComparison.Ordinal);
        Assert.Equal(Severity.Warning, _notices.ElementAt(2).Severity);
    }

    [Fact]
    public void AServerThatTakesNothingForTooLong_IsLeft()
    {
        Start();
        Until(() => _server.Sockets.Count == 1);
        _server.Sockets[0].Reads = new TaskCompletionSource().Task;
        Send("one");
        AdvanceUntil(() => _server.Sockets.Count == 2);
        Assert.InRange((_server.Attempts[1] - _server.Attempts[0]).TotalSeconds, 10.1, 11);
        Assert.Contains("took nothing for 10 s", _notices.ElementAt(1).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatItSends_IsTakenWholeOrRefused()
    {
        Start();
        Until(() => _server.Sockets.Count == 1);
        var text = new string('a', DataSession.LongestMessage);
        _server.Sockets[0].Say([1, 2, 3]);
        _server.Sockets[0].Say([4]);
        _server.Sockets[0].Say("{}");
        _server.Sockets[0].Say(text);
        Until(() => _received.Count == 2);
        Assert.Equal(["{}", text], _received);
        _server.Sockets[0].Say(text + "a");
        Until(() => _server.Sockets[0].ClosedWith == WebSocketCloseStatus.MessageTooBig);
        AdvanceUntil(() => _server.Sockets.Count == 2);
        Assert.Equal(["data_connection_open", "invalid_message", "data_connection_lost"], Events.Take(3));
    }

    [Theory]
    [InlineData(false, WebSocketCloseStatus.NormalClosure)]
    [InlineData(true, WebSocketCloseStatus.EndpointUnavailable)]
    public void AtTheEnd_TheLastMessagesGoOut_ThenItCloses(bool mayReturn, WebSocketCloseStatus expected)
    {
        Start();
        Until(() => _server.Sockets.Count == 1);
        var socket = _server.Sockets[0];
        var reads = new TaskCompletionSource();
        socket.Reads = reads.Task;
        Send("last");
        var closing = Close(mayReturn);
        Send("too late");
        reads.SetResult();
        Until(() => socket.ClosedWith is not null);
        socket.Close();
        Until(() => closing.IsCompleted);
        Assert.Equal(expected, socket.ClosedWith);
        Assert.Equal(["last"], socket.Texts);
        Assert.Single(_server.Attempts);
        Assert.Equal(["data_connection_open"], Events);
    }

    [Fact]
    public void AServerThatDoesNotTakeItsLeave_IsNotWaitedForLong()
    {
        Start();
        Until(() => _server.Sockets.Count == 1);
        var closing = Close(mayReturn: false);
        Until(() => _server.Sockets[0].ClosedWith is not null);
        Assert.False(closing.IsCompleted);
        _clock.Advance(_options.CloseTimeout);
        Until(() => closing.IsCompleted);
    }

    [Fact]
    public void ACallThatEndsBetweenTwoAttempts_IsNotTriedAgain()
    {
        _server.Refuses = _ => new DataConnectionException("Away.", isFinal: false);
        Start();
        Until(() => !_notices.IsEmpty);
        var closing = Close(mayReturn: false);
        Until(() => closing.IsCompleted);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(_server.Attempts);
    }

    private IEnumerable<string> Events => _notices.Select(notice => notice.Type);

    private void Send(string text)
    {
        _connection.TrySend(Encoding.UTF8.GetBytes(text));
        _pump.RunUntilIdle();
    }

    private void Start() => Run(() =>
    {
        _connection.Start();
        return Task.CompletedTask;
    });

    private Task Close(bool mayReturn) => Run(() => _connection.CloseAsync(mayReturn));

    private Task Run(Func<Task> work)
    {
        var task = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, _pump).Unwrap();
        _pump.RunUntilIdle();
        return task;
    }

    private void Until(Func<bool> condition)
    {
        for (var end = DateTime.UtcNow.AddSeconds(30); !condition(); Thread.Yield())
        {
            Assert.True(DateTime.UtcNow < end, "It did not happen.");
            _pump.RunUntilIdle();
        }
        _pump.RunUntilIdle();
    }

    /// <summary>Lets time pass, in steps between which everything else comes to rest.</summary>
    private void AdvanceUntil(Func<bool> condition)
    {
        for (var end = DateTime.UtcNow.AddSeconds(30); !condition(); _pump.RunUntilIdle())
        {
            Assert.True(DateTime.UtcNow < end, "It did not happen.");
            _clock.Advance(TimeSpan.FromMilliseconds(20));
        }
    }
}
