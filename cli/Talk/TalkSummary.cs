using System.Text.Json.Nodes;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Talk;

/// <summary>What is printed at the end: how it went for the caller, and what the server keeps of it.</summary>
internal sealed class TalkSummary(TextWriter output)
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    public async Task PrintAsync(CallClient client, string callId, TimeSpan duration, TurnTimer turns, int underruns, string folder)
    {
        var call = await client.GetEndedAsync(callId, EndLimit, CancellationToken.None);
        var messages = await client.GetMessagesAsync(callId, CancellationToken.None);
        output.WriteLine();
        output.WriteLine($"Call {callId}");
        output.WriteLine($"  duration        {duration.TotalSeconds:0.0} s");
        output.WriteLine($"  turns           {turns.Turns.Count}");
        if (turns.Median is { } median)
            output.WriteLine($"  median latency  {median.TotalMilliseconds:0} ms ({string.Join(", ", turns.Turns.Select(turn => $"{turn.TotalMilliseconds:0}"))})");
        output.WriteLine($"  underruns       {underruns}");
        output.WriteLine($"  end reason      {call["endReason"]?.ToString() ?? "(not ended yet)"}");
        output.WriteLine($"  sound           {Path.Combine(folder, "agent.wav")}, {Path.Combine(folder, "mix.wav")}");
        output.WriteLine($"  messages        GET /api/calls/{callId}/messages");
        foreach (var message in messages)
            output.WriteLine($"    {Role(message),-6} {message?["text"]}");
    }

    private static string Role(JsonNode? message) => message?["role"]?.ToString() switch
    {
        "MESSAGE_ROLE_USER" => "user",
        "MESSAGE_ROLE_AGENT" => "agent",
        "MESSAGE_ROLE_TOOL_CALL" => "calls",
        "MESSAGE_ROLE_TOOL_RESULT" => "result",
        var other => other ?? "?",
    };
}
