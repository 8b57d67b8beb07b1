# The pipeline churn by GNU make: a target for each step. In this folder:
#
#     make -f pipeline.mk -j2                  the whole pipeline, two steps at once
#     make -f pipeline.mk step-NAME            a step, and those before it
#     make -f pipeline.mk p.NAME=VALUE         with a parameter; VALUE is JSON, or a text that begins with no blank
#
# STORE=URI, RUN=NAME, DATA=DIR and PYTHON=PROGRAM say where results go, what the run is called, where newer data files
# are and what runs the steps. What a step made before from the same code and inputs is taken from the store.

SHELL := /bin/sh
STORE = out
DATA =
RUN := $(shell date -u +%Y%m%dT%H%M%S)-$(shell echo $$$$)
PYTHON = $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)

# The parameters' defaults, as JSON.
PARAMETERS := n_estimators threshold label verbose columns grid limit
p.n_estimators = 200
p.threshold = 0.5
p.label = "who's \"leaving\"?\n{{ ds }} \u0024(rm -rf ~) `x` {% raw %} @@STEPS@@"
p.verbose = false
p.columns = ["age", "r\u00e9gion"]
p.grid = {"depth": [3, null]}
p.limit = null

ifeq ($(wildcard src/churn/pipeline.py),)
$(error the pipeline is not in this folder: say `make -C FOLDER -f pipeline.mk`)
endif
$(foreach name,$(patsubst p.%,%,$(filter p.%,$(.VARIABLES))),$(if $(filter $(name),$(PARAMETERS)),,\
$(error no parameter $(name): the pipeline has $(or $(PARAMETERS),none))))

define newline


endef
# What was given stays as it is: `$(value)` does not expand it, quotes keep the shell from it.
line = $(if $(findstring $(newline),$(value $1)),$(error $1: write a line break as \n inside of a JSON text))$(value $1)
quoted = '$(subst ','\'',$1)'
given = $(foreach name,$(PARAMETERS),$(if $(filter undefined,$(origin p.$(name))),,\
-p $(call quoted,$(name)=$(call line,p.$(name)))))
where = --store $(call quoted,$(call line,STORE)) --run $(call quoted,$(call line,RUN))
python = PYTHONPATH="$$PWD/src" $(call quoted,$(PYTHON)) -m churn

# $1 is a step, $2 the pauses in seconds after each of which it is tried again where it failed.
define step
@for pause in $2 end; do \
  $(python) step $1 $(where) $(if $(value DATA),--data $(call quoted,$(call line,DATA))) $(given) && exit 0; \
  code=$$?; [ $$code = 1 ] && [ $$pause != end ] || break; \
  echo "step $1 is tried again in $$pause s" >&2; sleep $$pause; \
done; $(python) alert $(where) --to ALERT_URL; exit $$code
endef

.PHONY: all-steps step-load step-clean step-train step-report
.DEFAULT_GOAL := all-steps
all-steps: step-load step-clean step-train step-report

step-load:
	$(call step,load,)
step-clean: step-load
	$(call step,clean,)
step-train: step-clean step-load
	$(call step,train,30 60)
step-report: step-train step-clean
	$(call step,report,0.5)
