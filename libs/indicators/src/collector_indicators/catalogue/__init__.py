"""One module an indicator; being here is the registration (``collector_indicators.discovery``)."""
