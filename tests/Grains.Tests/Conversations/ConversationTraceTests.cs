using System.Diagnostics;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;

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

    private static readonly Comparer<ActivitySpanId> SpanOrder = Comparer<ActivitySpanId>.Create((a, b) => string.CompareOrdinal(a.ToHexString(), b.ToHexString()));
}
