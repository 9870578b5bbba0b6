using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>How events of calls are delivered to webhooks and callbacks; section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Bound of one attempt, connecting included. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")] public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Attempts after the first that failed. Default 10 (docs: errors and retries).</summary>
    [Range(0, 30)] public int Retries { get; set; } = 10;

    /// <summary>Wait before the first retry; doubles. Default 30 s, so that ten retries span 8.5 hours.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00")] public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Each wait is longer by a random part of itself up to this, so that what failed together does not come back together. Default 0.05.</summary>
    [Range(0.0, 1.0)] public double Jitter { get; set; } = 0.05;

    /// <summary>Deliveries under way at once in this process. Default 64.</summary>
    [Range(1, 10_000)] public int Concurrency { get; set; } = 64;

    /// <summary>Of these, at most so many to one receiver, and only one while its last attempt failed. Default 4.</summary>
    [Range(1, 1_000)] public int ConcurrencyPerReceiver { get; set; } = 4;

    /// <summary>How often the outbox is looked at for what other processes wrote and what is to be tried again. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:10:00")] public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A delivery that a process began and of which nothing is heard for so long is begun again by another. Default 1 min; must be longer than
    /// <see cref="Timeout"/> and than the clocks of the servers differ.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")] public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a stopping process waits for deliveries under way; then others take them over. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")] public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long it is kept that something was delivered or given up, without its content. Default 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")] public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Failed attempts in a row, of whatever deliveries, after which a webhook is shown as unhealthy. Default 5.</summary>
    [Range(1, 1_000)] public int UnhealthyAfter { get; set; } = 5;

    /// <summary>Webhooks that an account may have. Default 100.</summary>
    [Range(1, 100_000)] public int MaxPerAccount { get; set; } = 100;
}
