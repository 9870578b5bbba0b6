using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Billing;

/// <summary>What accounts are told of their billing, which is done elsewhere if at all; section <c>Billing</c>.</summary>
public sealed class BillingOptions
{
    /// <summary>Day of the month (UTC) on which the billing cycle begins. Default 1; at most 28, which every month has.</summary>
    [Range(1, 28)] public int CycleDay { get; set; } = 1;

    /// <summary>Where billing news are sent. Default none.</summary>
    [EmailAddress] public string? Email { get; set; }

    /// <summary>How it is paid, already obfuscated, such as <c>Visa ending in 4242</c>. Default none.</summary>
    public string? PaymentMethod { get; set; }

    /// <summary>The page on which a person sees to billing: <c>billingUrl</c> of accounts. Default none.</summary>
    [Url] public string? Url { get; set; }
}
