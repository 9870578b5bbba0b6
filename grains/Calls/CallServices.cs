using Microsoft.Extensions.Options;
using VoiceGrains.Grains.Calls.Limits;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Calls;

/// <summary>What a call's grain works with.</summary>
internal sealed class CallServices(
    CallAdmission admission, CreationTurns turns, LiveCalls liveCalls, ICallJournal journal, CallSummarizer summarizer, CallRemains remains, RecordingRemovals recordings, CallGrainMetrics metrics,
    LiveEventStreams liveEvents, DeliverySignal deliveries, CallPlace place, ConversationHost host, IOptions<CallResumeOptions> resume, IOptions<CallSummaryOptions> summaryOptions)
{
    public CallAdmission Admission => admission;
    public CreationTurns Turns => turns;
    public LiveCalls LiveCalls => liveCalls;
    public ICallJournal Journal => journal;
    public CallSummarizer Summarizer => summarizer;
    public CallRemains Remains => remains;
    public RecordingRemovals Recordings => recordings;
    public CallGrainMetrics Metrics => metrics;
    public LiveEventStreams LiveEvents => liveEvents;
    public DeliverySignal Deliveries => deliveries;
    public CallPlace Place => place;
    public ConversationHost Host => host;
    public CallResumeOptions Resume => resume.Value;
    public CallSummaryOptions SummaryOptions => summaryOptions.Value;
}
