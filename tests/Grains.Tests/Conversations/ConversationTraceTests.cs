using System.Diagnostics;
using System.Diagnostics.Metrics;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

public class ConversationTraceTests
{
    [Fact]
    public async Task EachTurn_IsASpanBelowTheCall_WithItsModelRequestAndSynthesis()
    {
        var callId = Guid.NewGuid().ToString();
        var stopped = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CallTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => { lock (stopped) stopped.Add(activity); },
        };
        ActivitySource.AddActivityListener(listener);
        var call = new ConversationHarness();
        await using (call)
        {
            call.Settings = call.Settings with { CallId = callId };
            call.Start();
            for (var turn = 1; turn <= 2; turn++)
            {
                call.Speak(TimeSpan.FromSeconds(0.5));
                call.RunUntil(() => call.Model.Requests.Count == turn);
                call.RunUntil(() => call.State == "listening");
            }
            call.FarEnd.Leave(MediaEnd.ClosedByClient);
            call.RunUntil(() => call.Outcome is not null);
        }
        Activity[] spans;
        lock (stopped) spans = [.. stopped];
        var root = spans.Single(span => span.OperationName == "call" && (string?)span.GetTagItem("call_id") == callId);
        var turns = spans.Where(span => span.OperationName == "turn" && span.TraceId == root.TraceId).ToArray();
        Assert.Equal(2, turns.Length);
        Assert.All(turns, turn => Assert.Equal(root.SpanId, turn.ParentSpanId));
        foreach (var name in (string[])["model_request", "synthesis"])
        {
            var children = spans.Where(span => span.OperationName == name && span.TraceId == root.TraceId).ToArray();
            Assert.Equal(turns.Select(turn => turn.SpanId).Order(SpanOrder), children.Select(child => child.ParentSpanId).Order(SpanOrder));
        }
    }

    [Theory]
    [InlineData(null, ActivityStatusCode.Unset)]
    [InlineData("It broke.", ActivityStatusCode.Error)]
    public async Task EachTool_IsASpanBelowItsTurn_AndAMeasurement_WithKindAndFailure(string? failure, ActivityStatusCode status)
    {
        var name = $"tool-{Guid.NewGuid():N}"[..32];
        var stopped = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CallTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => { lock (stopped) stopped.Add(activity); },
        };
        ActivitySource.AddActivityListener(listener);
        var measured = new List<(double Seconds, string? Kind, bool Failed)>();
        using var meters = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument == CallTelemetry.ToolDuration) self.EnableMeasurementEvents(instrument); } };
        meters.SetMeasurementEventCallback<double>((_, seconds, tags, _) =>
        {
            var found = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value);
            lock (measured) measured.Add((seconds, (string?)found["kind"], (bool)found["failed"]!));
        });
        meters.Start();
        var call = new ConversationHarness();
        await using (call)
        {
            call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool(name) with { Definition = new() { Http = new() } }] };
            call.Tools.Run = async (_, _, cancellationToken) =>
            {
                await Task.Delay(TimeSpan.FromSeconds(1.25), call.Clock, cancellationToken);
                return failure is null ? new ToolOutcome("fine") : ToolOutcome.Failed(failure);
            };
            call.Model.Enqueue(new ModelDelta.ToolCall("i1", name, "{}"));
            call.Start().Speak(TimeSpan.FromSeconds(0.5));
            call.RunUntil(() => call.Model.Requests.Count == 2);
        }
        Activity span;
        lock (stopped) span = stopped.Single(span => (string?)span.GetTagItem("tool") == name);
        Assert.Equal(("tool", "http", status), (span.OperationName, (string?)span.GetTagItem("kind"), span.Status));
        lock (stopped) Assert.Equal("turn", stopped.Single(other => other.SpanId == span.ParentSpanId).OperationName);
        lock (measured) Assert.Contains(measured, item => item is { Kind: "http" } && item.Failed == (failure is not null) && Math.Abs(item.Seconds - 1.25) < 0.02);
    }

    private static readonly Comparer<ActivitySpanId> SpanOrder = Comparer<ActivitySpanId>.Create((a, b) => string.CompareOrdinal(a.ToHexString(), b.ToHexString()));
}
