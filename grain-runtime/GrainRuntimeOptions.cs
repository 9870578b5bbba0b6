using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace VoiceGrains.GrainRuntime;

/// <summary>Limits and times of the grain runtime. The defaults are those of Orleans where it has the setting.</summary>
public sealed class GrainRuntimeOptions
{
    /// <summary>How long a caller waits before its call fails with <see cref="TimeoutException"/>. Default 30 s (Orleans' MessagingOptions.ResponseTimeout).</summary>
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a circle of waiting calls must last before one of them fails with <see cref="CallChainDeadlockException"/>. Default 1 s.
    /// Above zero because a circle may resolve itself: a turn that does not await its call ends by itself.
    /// </summary>
    public TimeSpan DeadlockDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often timeouts, deadlocks and idle activations are looked for. Default 250 ms; timeouts are late by up to this.</summary>
    public TimeSpan MonitorPeriod { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>An activation unused for this long is deactivated. Default 15 min (Orleans' GrainCollectionOptions.CollectionAge).</summary>
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Most time for reading state and <c>OnActivateAsync</c>. Default 30 s (Orleans' GrainCollectionOptions.ActivationTimeout).</summary>
    public TimeSpan ActivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most time for <c>OnDeactivateAsync</c>. Default 30 s (Orleans' GrainCollectionOptions.DeactivationTimeout).</summary>
    public TimeSpan DeactivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most time that stopping the host waits for all activations to end. Default 4 s.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Requests that may wait for one activation; the next is refused with <see cref="Orleans.Runtime.LimitExceededException"/>. Default 1,000.</summary>
    [Range(1, int.MaxValue)]
    public int MaxWaitingRequests { get; set; } = 1_000;

    /// <summary>How state is stored. Default: web defaults (camel case) with enums as strings.</summary>
    public JsonSerializerOptions StateSerializer { get; set; } = StorageJson.Default;

    /// <summary>Shortest reminder period. Default 1 min (Orleans' ReminderOptions.MinimumReminderPeriod).</summary>
    public TimeSpan MinimumReminderPeriod { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often due reminders are looked for. Default 1 s; a reminder is late by up to this.</summary>
    public TimeSpan ReminderPollPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long one process may hold a due reminder before another takes it over. Default 1 min; longer than <see cref="ResponseTimeout"/>.</summary>
    public TimeSpan ReminderLease { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Events that may wait for one stream subscriber; when full the oldest is dropped and the subscriber told. Default 1,024.</summary>
    [Range(1, int.MaxValue)]
    public int StreamQueueLength { get; set; } = 1_024;
}
