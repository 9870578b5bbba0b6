using System.Buffers.Binary;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Clients below the level of messages: broken frames, floods of control frames, connections that die with and without a word.</summary>
public sealed class RawSocketTests(LiveSilo silo)
{
    private const string UserFirst = """{"firstSpeakerSettings":{"user":{}}}""";

    public static TheoryData<string, byte[], int> BrokenFrames => new()
    {
        { "reserved bit", RawSocket.Frame(0xC1, "{}"u8), 1002 },
        { "unknown opcode", RawSocket.Frame(0x83, "{}"u8), 1002 },
        { "continuation of nothing", RawSocket.Frame(0x80, "{}"u8), 1002 },
        { "fragmented ping", RawSocket.Frame(RawSocket.Ping, []), 1002 },
        { "text that is not UTF-8", RawSocket.Frame(0x81, [0xFF, 0xFE]), 1007 },
    };

    [Theory]
    [MemberData(nameof(BrokenFrames))]
    public async Task ABrokenFrame_ClosesTheCallWithItsCode(string what, byte[] frame, int code)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(null, UserFirst));
        using var socket = await RawSocket.JoinAsync(call.JoinUrl);
        await socket.SendAsync(frame);
        var close = await socket.ReadAsync(RawSocket.Close);
        Assert.True(code == BinaryPrimitives.ReadUInt16BigEndian(close), what);
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task TenThousandPingFrames_AreAllAnswered()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(null, UserFirst));
        using var socket = await RawSocket.JoinAsync(call.JoinUrl);
        byte[] payload = [1];
        var ping = RawSocket.FinalFrame(RawSocket.Ping, payload);
        var flood = Enumerable.Range(0, 10_000).SelectMany(_ => ping).ToArray();
        var sending = socket.SendAsync(flood).AsTask();
        for (var i = 0; i < 10_000; i++) Assert.Equal(payload, await socket.ReadAsync(RawSocket.Pong));
        await sending;
        await socket.SendAsync(RawSocket.FinalFrame(RawSocket.Close, [0x03, 0xE8]));
        await socket.ReadAsync(RawSocket.Close);
        Assert.Equal("hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task AClientThatVanishes_EndsTheCallAtOnce()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request("""When the call starts: say "Hello." """));
        using var socket = await RawSocket.JoinAsync(call.JoinUrl);
        await socket.ReadAsync(RawSocket.Text);
        socket.Reset();
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
        await call.ListUntilAsync("events?type=connection_error", list => list.Count == 1);
    }

    /// <summary>A cable is pulled: nothing comes, not even an answer to the server's keep-alive pings.</summary>
    [Fact]
    public async Task AClientThatFallsSilent_IsLostByKeepAlive()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(SiloFixture.Cancel);
        await using var quick = await SiloFixture.StartAsync(database, ("Media:KeepAliveInterval", "00:00:01"), ("Media:KeepAliveTimeout", "00:00:02"));
        using var api = await SiloFixture.CreateClientAsync(quick);
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(null, UserFirst));
        using var socket = await RawSocket.JoinAsync(call.JoinUrl);
        var ended = await call.EndedAsync(TimeSpan.FromSeconds(90));
        Assert.Equal("connection_error", ended.GetProperty("endReason").GetString());
        Assert.InRange((ended.GetProperty("ended").GetDateTimeOffset() - ended.GetProperty("joined").GetDateTimeOffset()).TotalSeconds, 1.9, 30);
        await quick.StopAsync(SiloFixture.Cancel);
    }
}
