using System.Net.WebSockets;
using System.Text.Json;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Outages;

/// <summary>A person who says the same sentence again and again, and keeps count of what must be stored of it.</summary>
internal sealed class Conversation : IAsyncDisposable
{
    private const string Answer = "One two three four.";

    /// <summary>For silos of these tests: understanding takes long on a busy machine, and is not what they are about.</summary>
    public static readonly (string Name, string Value) RecognitionTimeout = ("Conversation__RecognitionTimeout", "00:00:40");
    private static readonly TimeSpan EndTolerance = TimeSpan.FromSeconds(5);
    private readonly LiveCall call;
    private readonly Server server;
    private readonly List<string> said = [];
    private int turns;
    private DateTimeOffset left;

    private Conversation(Server server, LiveCall call) => (this.server, this.call) = (server, call);

    public string CallId => call.CallId;

    public static async Task<Conversation> StartAsync(Server server)
    {
        // The pause that ends a turn is long: on a busy machine the sentence comes with gaps, and it must stay one turn.
        var request = LiveCall.Request($"""Otherwise: say "{Answer}" """, """{"firstSpeakerSettings":{"user":{}},"vadSettings":{"turnEndpointDelay":"1.5s"}}""");
        await using var created = await LiveCall.CreateSoonAsync(server.Api, request);
        return new Conversation(server, await created.ReturnAsync());       // as any client: told to wait (503), it tries again
    }

    /// <summary>Speaks and is understood and answered, in sound.</summary>
    public async Task TakeTurnAsync()
    {
        var began = call.Now;
        call.Say(HumanSpeech.OneTurn());
        var user = await call.WaitForFinalAsync("user", began, Server.Patience);
        said.Add(user.Json.GetProperty("text").GetString()!);
        var agent = await call.WaitForFinalAsync("agent", user.At, Server.Patience);
        said.Add(agent.Json.GetProperty("text").GetString()!);
        Assert.Equal(Answer, said[^1]);
        Assert.True(call.HasSound(user.At, agent.At + 1), call.Story());
        await call.WaitForStateAsync("listening", agent.At, Server.Patience);
        turns++;
    }

    /// <summary>Hangs up; the connection ends whether or not the end can be stored.</summary>
    public async Task HangUpAsync()
    {
        await call.StopSendingAsync();
        left = DateTimeOffset.UtcNow;
        await call.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        await call.WaitForCloseAsync(Server.Patience);
    }

    /// <summary>The call ended when and as it did, and everything said in it is stored: complete, once and in order.</summary>
    public async Task AssertStoredAsync()
    {
        var ended = await call.EndedAsync(Server.Patience);
        Assert.True(ended.GetProperty("endReason").GetString() == "hangup", $"{ended}\n{server.Process.Printed}");
        Assert.InRange(ended.GetProperty("ended").GetDateTimeOffset(), left - EndTolerance, left + EndTolerance);

        var messages = await call.ListAsync("messages");
        Assert.Equal(said, messages.Select(message => message.GetProperty("text").GetString()));
        Assert.Equal(Enumerable.Range(0, said.Count), messages.Select(message => message.GetProperty("callStageMessageIndex").GetInt32()));

        var events = await call.ListUntilAsync("events", list => list.Exists(one => TypeOf(one) == "call_ended"), Server.Patience);
        Assert.Equal([.. Enumerable.Repeat("turn_latency", turns), "call_ended"], events.Select(TypeOf).Where(type => type is "turn_latency" or "call_ended" or "call_lost"));
        var times = events.ConvertAll(one => TimeOf(one));
        Assert.Equal(times.Order(), times);
    }

    public ValueTask DisposeAsync() => call.DisposeAsync();

    private static string? TypeOf(JsonElement callEvent) => callEvent.GetProperty("type").GetString();

    /// <summary>As in <c>12.34s</c>.</summary>
    private static double TimeOf(JsonElement callEvent)
        => double.Parse(callEvent.GetProperty("callTimestamp").GetString()!.TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture);
}
