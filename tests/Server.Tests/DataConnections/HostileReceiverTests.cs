using System.Net.WebSockets;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.DataConnections;

/// <summary>Servers of customers that are broken, slow, malicious or away: the call goes on as if they were not there.</summary>
public sealed class HostileReceiverTests(LiveSilo silo)
{
    private const string Prompt = """When the call starts: say "Welcome." When the user says "weather": say "It rains today." """;
    private const string Sound = "\"audioConfig\":{\"sampleRate\":48000}";

    [Fact]
    public async Task AServerThatNeverAnswers_DelaysNeitherTheGreetingNorTheEnd()
    {
        var hangs = new TaskCompletionSource<bool>();
        await using var receiver = await DataReceiver.StartAsync();
        receiver.Refuses = (http, _) => hangs.Task.WaitAsync(http.RequestAborted);
        await TalkAsync(receiver.Config(Sound));
        Assert.Equal(1, receiver.Attempts);
    }

    [Fact]
    public async Task AServerThatReadsNothing_DisturbsNothing()
    {
        await using var receiver = await DataReceiver.StartAsync();
        receiver.Serves = async (_, aborted) => await Task.Delay(Timeout.Infinite, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await TalkAsync(receiver.Config(Sound));
        Assert.Equal(1, receiver.Attempts);
    }

    [Fact]
    public async Task AServerThatClosesAtOnce_IsTriedUntilItStays_AndMissesNothing()
    {
        await using var receiver = await DataReceiver.StartAsync();
        receiver.Serves = (socket, aborted) =>
        {
            if (receiver.Attempts == 3) receiver.Serves = null;
            return socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, aborted);
        };
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, receiver.Config()));
        var peer = await receiver.PeerAsync();
        Assert.Equal(4, receiver.Attempts);
        await peer.SendAsync(new { type = "user_text_message", text = "How is the weather?" });
        await peer.WaitForFinalAsync("agent", "It rains today.");
        await call.ListUntilAsync("events?type=data_connection_lost", list => list.Count == 3);
        await call.LeaveAsync();
    }

    [Fact]
    public async Task AServerThatDies_FindsWhatWasSaidMeanwhile_WhenItComesBack()
    {
        using var api = await silo.CreateClientAsync();
        var receiver = await DataReceiver.StartAsync();
        var port = new Uri(receiver.Url).Port;
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, receiver.Config()));
        await (await receiver.PeerAsync()).WaitForFinalAsync("agent", "Welcome.");
        await receiver.DisposeAsync();
        await call.ListUntilAsync("events?type=data_connection_lost", list => list.Count == 1);
        await call.SendAsync("""{"type":"user_text_message","text":"How is the weather?"}""");
        await call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.GetProperty("text").GetString() == "It rains today.");

        await using var back = await DataReceiver.StartAsync(port);
        var peer = await back.PeerAsync();
        await peer.WaitForFinalAsync("agent", "It rains today.");
        var texts = peer.Messages.Where(m => DataPeer.TypeOf(m) == "transcript" && m.GetProperty("final").GetBoolean()).Select(m => m.GetProperty("text").GetString());
        Assert.Equal(["How is the weather?", "It rains today."], texts.TakeLast(2));
        await call.LeaveAsync();
    }

    [Fact]
    public async Task GarbageFromIt_IsTold_AndTooMuchClosesIt()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, receiver.Config()));
        var peer = await receiver.PeerAsync();
        await peer.SendAsync(new byte[300_000], WebSocketMessageType.Binary);
        await peer.SendAsync([0xff, 0xfe, (byte)'{'], WebSocketMessageType.Binary);
        await peer.SendAsync("""{"type":"user_text_message","text":7}""");
        await call.ListUntilAsync("events?type=invalid_message", list => list.Count == 2);
        var sent = Task.WhenAny(peer.SendAsync(new string('a', 10_000_000)));       // may be cut off
        await peer.WaitForEndAsync();
        await sent;
        var again = await receiver.PeerAsync(1);
        await again.SendAsync(new { type = "ping", timestamp = 1 });
        await again.WaitForAsync("pong");
        Assert.Single(await call.ListAsync("events?type=data_connection_lost"));
        await call.LeaveAsync();
    }

    /// <summary>A whole conversation beside a server that does not take part in it.</summary>
    private async Task TalkAsync(string config)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, config));
        var greeting = await call.WaitForFinalAsync("agent");
        Assert.Equal("Welcome.", greeting.Json.GetProperty("text").GetString());
        await call.SendAsync("""{"type":"user_text_message","text":"How is the weather?"}""");
        var answer = await call.WaitForFinalAsync("agent", greeting.At + 0.001);
        Assert.Equal("It rains today.", answer.Json.GetProperty("text").GetString());
        var ended = await call.LeaveAsync();
        Assert.Equal("hangup", ended.GetProperty("endReason").GetString());
    }
}

/// <summary>With the settings that a server has by default.</summary>
public sealed class RefusedReceiverTests(SiloFixture silo)
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task AnInsideAddress_IsRefused_AndTheCallGoesOn(string host)
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        var config = receiver.Config().Replace("127.0.0.1", host, StringComparison.Ordinal);
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request("""When the call starts: say "Welcome." """, config));
        Assert.Equal("Welcome.", (await call.WaitForFinalAsync("agent")).Json.GetProperty("text").GetString());
        var refused = await call.ListUntilAsync("events?type=data_connection_refused", list => list.Count == 1);
        Assert.Contains("only public addresses and those of the setting Outbound:AllowedNetworks are allowed", refused[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        await call.LeaveAsync();
        Assert.Equal(0, receiver.Attempts);
    }
}
